"""Dependencies for FastAPI behind ``asgi.Require`` or ``asgi.Optional``.

    @app.get("/me")
    def me(who: Caller) -> str: ...

    @app.get("/admin", dependencies=[Depends(in_group("admins"))])
"""

from typing import Annotated, Callable

from fastapi import Depends, HTTPException, Request

from . import Identity
from .asgi import KEY


def caller(request: Request) -> Identity:
    """Return who sent the request; 401 if nobody did, or if the application is behind neither."""
    who = request.scope.get(KEY)
    if not isinstance(who, Identity):
        raise HTTPException(401)
    return who


def optional_caller(request: Request) -> Identity | None:
    """Return who sent the request, or None if it is anonymous, as a rule allows; 401 if the application is behind neither."""
    if KEY in request.scope and request.scope[KEY] is None:
        return None
    return caller(request)


Caller = Annotated[Identity, Depends(caller)]
OptionalCaller = Annotated[Identity | None, Depends(optional_caller)]


def in_group(*groups: str) -> Callable[[Identity], Identity]:
    """Return a dependency that answers 403 to callers in none of the groups."""

    def member(who: Caller) -> Identity:
        if not who.has(*groups):
            raise HTTPException(403)
        return who

    return member
