exports.name = "beside";
