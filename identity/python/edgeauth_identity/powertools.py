"""Middleware for the event handler of Powertools for AWS Lambda.

    app = APIGatewayRestResolver()
    app.use(middlewares=[require])
    who = app.context["identity"]
"""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver

from . import NoCaller, caller
from ._refusal import BODY


def require(app: ApiGatewayResolver, next_middleware: Callable[[ApiGatewayResolver], Response[Any]]) -> Response[Any]:
    """Let requests through that have a caller, with the Identity in app.context["identity"]; answer 401 to others."""
    try:
        app.context["identity"] = caller(app.current_event.raw_event)
    except NoCaller:
        return Response(401, "application/json", BODY.decode(), headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
    response = next_middleware(app)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
