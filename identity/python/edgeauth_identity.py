"""Who the caller is, for backends behind the authorizer: copy this file, or these lines, into a Lambda function.

    from edgeauth_identity import caller, NoCaller

    def handler(event, context):
        try:
            who = caller(event)
        except NoCaller:
            return {"statusCode": 401, "body": "Unauthorized"}
        return {"statusCode": 200, "body": "Hello, " + who["sub"]}

What is in it is described by schema.json, under $defs/identity. A user is iss and sub together.
"""

import base64
import json


class NoCaller(Exception):
    """The event names no caller, completely and in the version that this file knows."""


def caller(event):
    """Return the caller of a REST, HTTP or WebSocket API's event, or raise NoCaller."""
    try:
        authorizer = event["requestContext"]["authorizer"]
        handed = authorizer.get("lambda", authorizer)
        text = handed["identity"]
        who = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        known = handed["v"] == who["v"] == "1" and who["token_use"] in ("id", "access")
        complete = all(who[name] for name in ("iss", "sub", "client_id", "exp"))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NoCaller from None
    if not (known and complete):
        raise NoCaller
    return who
