"""A page that says whose it is and who is signed in, and leads to its sister and out; JSON for programs."""

import html
import json
import os

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,">
<h1>{title}</h1><p id="who">{who}</p><p><a href="/orders/">Orders</a> <a href="/reports/">Reports</a></p>
<form method="post" action="/auth/logout"><button>Sign out</button></form></html>"""


def handler(event, context):
    caller = event["requestContext"].get("authorizer") or {}
    if not caller.get("sub"):  # no context is nobody
        return {"statusCode": 401, "body": "{}"}
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    if "text/html" in headers.get("accept", ""):
        page = PAGE.format(title=os.environ.get("TITLE", ""), who=html.escape(caller.get("email", "")))
        return {"statusCode": 200, "headers": {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}, "body": page}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps({"sub": caller["sub"], "scope": caller.get("scope", "")})}
