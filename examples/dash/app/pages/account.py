"""Who is signed in, as the authorizer says it."""

from datetime import datetime, timezone

import dash
import dash_bootstrap_components as dbc
from dash import html

from access import who

dash.register_page(__name__, path="/account", name="Account", title="Account · Solar coast", order=3)


def layout(**_):
    me = who()
    rows = [
        ("Email", me.email or "none that is verified"),
        ("User name", me.username),
        ("Groups", [dbc.Badge(group, color="primary", className="me-1") for group in me.groups] or "none"),
        ("Signed in", _time(me.auth_time)),
        ("This session is renewed before", _time(me.exp)),
        ("Subject", html.Code(me.sub)),
        ("Issuer", html.Code(me.iss)),
    ]
    return dbc.Container(
        [
            html.H1("Account"),
            html.P("Every page and every callback of this application is told this, and nothing else, about you."),
            dbc.Card(html.Dl([part for label, value in rows for part in (html.Dt(label), html.Dd(value))]), body=True),
            html.P("Signing out ends this session everywhere in this browser, and the sign-in service's.", className="mt-3 text-body-secondary"),
        ],
        className="py-4 narrow",
    )


def _time(seconds):
    if seconds is None:
        return "never"
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return html.Time(f"{moment:%d %B %Y, %H:%M} UTC", dateTime=moment.isoformat())
