raise KeyError("settings")
