"""Who the caller is, for backends behind the authorizer.

    from edgeauth_identity import NoCaller, caller

    def handler(event, context):
        try:
            who = caller(event)
        except NoCaller:
            return {"statusCode": 401, "body": "Unauthorized"}
        return {"statusCode": 200, "body": "Hello, " + who.sub}

``wsgi`` and ``asgi`` hold middleware, ``fastapi`` and ``powertools`` what goes with those. The contract is described by schema.json of the project.
Whoever may invoke a function directly can put anything into its event: what is read here is to be trusted as far as that right is API Gateway's alone.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

VERSION = "1"
"""Version of the contract, the value of the key "v"."""

__all__ = ["VERSION", "Anonymous", "Identity", "NoCaller", "caller", "optional"]


class NoCaller(Exception):
    """The event names no caller, completely and in the version that this package knows: answer 401."""


class Anonymous(NoCaller):
    """The authorizer let the request through without a caller, because a rule lets anyone through. Whoever wants a caller answers 401 as ever."""


@dataclass(frozen=True)
class Identity:
    """A caller whose token was verified before the request got here. A user is iss and sub together."""

    iss: str
    """The user pool that vouches for sub."""
    sub: str
    """Who it is, for as long as the user exists; unique within iss only."""
    username: str
    email: str
    """Empty unless the pool has verified it."""
    groups: tuple[str, ...]
    scopes: tuple[str, ...]
    """Of access tokens."""
    token_use: str
    """"id": a browser session; "access": a bearer token."""
    client_id: str
    """The app client that the token was issued to."""
    exp: int
    """When the token ends, in seconds since 1970."""
    auth_time: int | None = None
    """When the user last proved who they are, in seconds since 1970; None for machines."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """Further claims that the deployment hands on."""

    @property
    def machine(self) -> bool:
        """Whether the caller is a program with credentials of its own: no user stands behind the request."""
        return self.token_use == "access" and self.sub == self.client_id

    def has(self, *groups: str) -> bool:
        """Whether the caller is in one of the groups."""
        return any(group in self.groups for group in groups)


def caller(event: Mapping[str, Any]) -> Identity:
    """Return the caller of a REST, HTTP or WebSocket API's event, or raise NoCaller; Anonymous, if a rule lets anyone through."""
    try:
        authorizer = event["requestContext"]["authorizer"]
        handed = authorizer.get("lambda", authorizer)
        if handed.get("v") == VERSION and handed.get("anonymous") == "true":
            raise Anonymous
        text = handed["identity"]
        who = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if handed["v"] != VERSION or who["v"] != VERSION or who["token_use"] not in ("id", "access"):
            raise NoCaller
        return Identity(
            iss=_text(who["iss"]),
            sub=_text(who["sub"]),
            username=_typed(who["username"], str),
            email=_typed(who["email"], str),
            groups=tuple(_text(name) for name in _typed(who["groups"], list)),
            scopes=tuple(_text(name) for name in _typed(who["scopes"], list)),
            token_use=who["token_use"],
            client_id=_text(who["client_id"]),
            exp=_seconds(who["exp"]),
            auth_time=_seconds(who["auth_time"]) if "auth_time" in who else None,
            claims=_typed(who.get("claims", {}), dict),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NoCaller from None


def optional(event: Mapping[str, Any]) -> Identity | None:
    """Return the caller as caller does, or None for a request without one where a rule lets anyone through."""
    try:
        return caller(event)
    except Anonymous:
        return None


def _typed(value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError
    return value


def _text(value: Any) -> str:
    if value == "":
        raise ValueError
    return _typed(value, str)


def _seconds(value: Any) -> int:
    if _typed(value, int) <= 0:
        raise ValueError
    return _typed(value, int)
