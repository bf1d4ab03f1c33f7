"""WSGI middleware: a request without a caller is answered 401, and answers are not stored unless the application says so.

    app.wsgi_app = Require(app.wsgi_app)            # Flask; Dash: app.server.wsgi_app
    who = request.environ["edgeauth.identity"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import Identity, NoCaller, caller, optional
from ._refusal import BODY, HEADERS, NO_STORE

# Where the adapters leave the event: apig-wsgi, serverless-wsgi. No header of a client's gets there, since those begin with HTTP_.
EVENTS = ("apig_wsgi.full_event", "serverless.event")

KEY = "edgeauth.identity"


def event_of(environ: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the event that an adapter left in environ, or an empty one."""
    return next((environ[name] for name in EVENTS if name in environ), {})


class Require:
    """Lets requests through that have a caller, with the Identity in environ["edgeauth.identity"]."""

    read: Callable[[Mapping[str, Any]], Identity | None] = staticmethod(caller)

    def __init__(self, app: Callable[..., Iterable[bytes]], event: Callable[[Mapping[str, Any]], Mapping[str, Any]] = event_of) -> None:
        self.app, self.event = app, event

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ.pop(KEY, None)
        try:
            environ[KEY] = self.read(self.event(environ))
        except NoCaller:
            start_response("401 Unauthorized", HEADERS)
            return [BODY]

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if not any(name.lower() == "cache-control" for name, _ in headers):
                headers = [*headers, NO_STORE]
            return start_response(status, headers, *rest)

        return self.app(environ, start)


class Optional(Require):
    """As Require; where a rule lets anyone through, a request without a caller goes on too, with None in environ["edgeauth.identity"]."""

    read = staticmethod(optional)
