"""Backends of an HTTP API and of a WebSocket API. A request without an identity is nobody's."""

import json
import time


def notes(event, context):
    """Tell the caller of the HTTP API who they are. What the authorizer handed on is under "lambda" in payload 2.0."""
    caller = (event["requestContext"].get("authorizer") or {}).get("lambda") or {}
    if not caller.get("sub"):
        return {"statusCode": 401, "headers": {"cache-control": "no-store"}, "body": "{}"}
    said = {"sub": caller["sub"], "email": caller.get("email"), "token_use": caller.get("token_use"), "path": event["rawPath"]}
    return {"statusCode": 200, "headers": {"content-type": "application/json", "cache-control": "no-store"}, "body": json.dumps(said)}


def chat(event, context):
    """Repeat a message with its author. The connection was authorized when it was made; it outlives the token, so every message looks at the clock."""
    about = event["requestContext"]
    caller = about.get("authorizer") or {}
    if not caller.get("sub"):
        return {"statusCode": 401}
    if about["eventType"] != "MESSAGE":
        return {"statusCode": 200}
    if time.time() >= int(caller["exp"]):
        return {"statusCode": 401, "body": json.dumps({"error": "session_over"})}
    return {"statusCode": 200, "body": json.dumps({"from": caller.get("email") or caller["sub"], "text": event["body"]})}
