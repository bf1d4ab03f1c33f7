"""ASGI middleware: a request without a caller is answered 401, a WebSocket closed, and answers are not stored unless the application says so.

    handler = Mangum(Require(app))
    who = scope["edgeauth.identity"]                # Starlette, FastAPI: request.scope
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from . import Identity, NoCaller, caller, optional
from ._refusal import BODY, HEADERS, NO_STORE

KEY = "edgeauth.identity"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def event_of(scope: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the event that mangum left in scope, or an empty one."""
    event: Mapping[str, Any] = scope.get("aws.event", {})
    return event


def _raw(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


class Require:
    """Lets requests through that have a caller, with the Identity in scope["edgeauth.identity"]."""

    read: Callable[[Mapping[str, Any]], Identity | None] = staticmethod(caller)

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], event: Callable[[Mapping[str, Any]], Mapping[str, Any]] = event_of) -> None:
        self.app, self.event = app, event

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        try:
            who = self.read(self.event(scope))
        except NoCaller:
            return await self._refuse(scope, send)

        async def unstored(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    message = {**message, "headers": headers + _raw([NO_STORE])}
            await send(message)

        await self.app({**scope, KEY: who}, receive, unstored)

    async def _refuse(self, scope: Scope, send: Send) -> None:
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        await send({"type": "http.response.start", "status": 401, "headers": _raw(HEADERS)})
        await send({"type": "http.response.body", "body": BODY})


class Optional(Require):
    """As Require; where a rule lets anyone through, a request without a caller goes on too, with None in scope["edgeauth.identity"]."""

    read = staticmethod(optional)
