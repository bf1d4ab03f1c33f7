NAME = "beside"


class Unauthorized(Exception):
    pass
