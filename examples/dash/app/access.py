"""Who is asking, and what they may do.

The rules of the API are about paths. Dash fetches every page and every callback's answer through one path, so groups are asked for here as well: in each
layout that is not for everybody, and in each callback that hands out what is not for everybody.
"""

import time

import dash_bootstrap_components as dbc
from dash import html, set_props
from edgeauth_identity import Identity
from flask import request

RECENT = 5 * 60  # seconds


class Denied(Exception):
    """The caller may not have what a callback was asked for. The text is for people, the reason is the authorizer's own code."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def who() -> Identity:
    """Return who sent the request that is being answered."""
    return request.environ["edgeauth.identity"]


def require_group(*groups: str) -> None:
    """Let the callback go on for members of one of the groups."""
    if not who().has(*groups):
        raise Denied("group_required", f"This is for members of {' or '.join(groups)}.")


def require_recent_sign_in() -> None:
    """Let the callback go on for people who have just shown who they are."""
    signed_in = who().auth_time
    if signed_in is None or time.time() - signed_in > RECENT:
        raise Denied("step_up_required", "This wants a sign-in of the last five minutes.")


def tell(problem: Exception) -> None:
    """Answer a callback that failed with a notice instead of its outputs. Dash calls it for every error."""
    if not isinstance(problem, Denied):
        raise problem
    print(f"denied: {problem.reason}")
    says = [html.P(str(problem))]
    if problem.reason == "step_up_required":
        says.append(html.Button("Confirm that it is you", className="btn btn-primary btn-sm confirm"))  # assets/session.js
    set_props("notice", {"is_open": True, "header": "Not allowed", "children": says})


def page_for(*groups: str):
    """Make a page's layout one for members of the groups; others get a page that says so."""

    def guard(layout):
        def guarded(**query):
            if who().has(*groups):
                return layout(**query)
            return dbc.Container(
                [
                    html.H1("You may not open this page"),
                    html.P(f"It is for members of {' or '.join(groups)}. If you were added just now, sign out and in again."),
                    html.P(["Reason: ", html.Code("group_required")], className="text-body-secondary"),
                ],
                className="py-5 narrow",
            )

        return guarded

    return guard
