"""What a request without a caller is answered, in the form that the API's own refusals have."""

BODY = b'{"message":"Unauthorized","reason":"no_session"}\n'
NO_STORE = ("Cache-Control", "no-store")
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY))), NO_STORE, ("X-Content-Type-Options", "nosniff")]
