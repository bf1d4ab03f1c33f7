"""Middleware for the event handler of Powertools for AWS Lambda.

    app = APIGatewayRestResolver()
    app.use(middlewares=[require])
    who = app.context["identity"]
"""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver

import edgeauth_identity

from . import Identity, NoCaller, caller
from ._refusal import BODY


Next = Callable[[ApiGatewayResolver], Response[Any]]


def require(app: ApiGatewayResolver, next_middleware: Next) -> Response[Any]:
    """Let requests through that have a caller, with the Identity in app.context["identity"]; answer 401 to others."""
    return _let_through(caller, app, next_middleware)


def optional(app: ApiGatewayResolver, next_middleware: Next) -> Response[Any]:
    """Do as require does; where a rule lets anyone through, a request without a caller goes on too, with None in app.context["identity"]."""
    return _let_through(edgeauth_identity.optional, app, next_middleware)


def _let_through(read: Callable[[Mapping[str, Any]], Identity | None], app: ApiGatewayResolver, next_middleware: Next) -> Response[Any]:
    try:
        app.context["identity"] = read(app.current_event.raw_event)
    except NoCaller:
        return Response(401, "application/json", BODY.decode(), headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
    response = next_middleware(app)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
