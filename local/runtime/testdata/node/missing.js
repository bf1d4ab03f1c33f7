require("a-module-that-nobody-has");
