"""Dependencies for FastAPI behind ``asgi.Require``.

    @app.get("/me")
    def me(who: Caller) -> str: ...

    @app.get("/admin", dependencies=[Depends(in_group("admins"))])
"""

from typing import Annotated, Callable

from fastapi import Depends, HTTPException, Request

from . import Identity
from .asgi import KEY


def caller(request: Request) -> Identity:
    """Return who sent the request; 401 where the application is not behind Require."""
    who = request.scope.get(KEY)
    if not isinstance(who, Identity):
        raise HTTPException(401)
    return who


Caller = Annotated[Identity, Depends(caller)]


def in_group(*groups: str) -> Callable[[Identity], Identity]:
    """Return a dependency that answers 403 to callers in none of the groups."""

    def member(who: Caller) -> Identity:
        if not who.has(*groups):
            raise HTTPException(403)
        return who

    return member
