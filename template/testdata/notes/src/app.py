import json

NOTES = {}


def handler(event, context):
    who = event["requestContext"].get("authorizer") or {}
    if not who.get("sub"):
        return {"statusCode": 401, "body": "{}"}
    if event["httpMethod"] == "POST":
        NOTES.setdefault(who["sub"], []).append(json.loads(event["body"])["text"])
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"user": who["email"], "notes": NOTES.get(who["sub"], [])}),
    }
