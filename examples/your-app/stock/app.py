"""A backend in Python."""

import json

from edgeauth_identity import NoCaller, caller

HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def handler(event, context):
    try:
        who = caller(event)
    except NoCaller:
        return {"statusCode": 401, "headers": HEADERS, "body": '{"message":"Unauthorized"}'}
    said = {"language": "python", "sub": who.sub, "email": who.email, "groups": list(who.groups)}
    return {"statusCode": 200, "headers": HEADERS, "body": json.dumps(said)}
