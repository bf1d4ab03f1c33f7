throw new TypeError("settings");
