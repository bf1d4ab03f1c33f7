"""The Dash application: one for the process, behind the authorizer."""

import os
from functools import cache

import dash
from edgeauth_identity.wsgi import Require
from flask import request
from flask_compress import Compress

import shell
from access import tell

BASE = os.environ.get("BASE_PATH", "/")  # as browsers see it, such as /Prod/
HELPER = BASE + "auth/edgeauth.js?install"

app = dash.Dash(
    __name__,
    title="Solar coast",
    use_pages=True,
    requests_pathname_prefix=BASE,
    routes_pathname_prefix="/",
    serve_locally=True,
    assets_ignore=r"^theme\.js$",  # it stands in the head of the page, before anything is drawn
    # This line renews the session: it replaces the browser's fetch before any callback of Dash's uses it.
    external_scripts=[{"src": HELPER, "type": "module"}],
    on_error=tell,
    suppress_callback_exceptions=True,
    update_title=None,
)
app.index_string = shell.PAGE.format(base=BASE)
app.layout = shell.layout

# Plots are compressed on their way. The libraries are 5 MB of text that a browser fetches once.
app.server.config.update(COMPRESS_ALGORITHM=["gzip"], COMPRESS_ALGORITHM_STREAMING=["gzip"], COMPRESS_LEVEL=5, COMPRESS_MIN_SIZE=1024)
Compress(app.server)

SECURITY = {
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@cache
def policy() -> str:
    """Return the content security policy. Dash's own inline scripts are named by their hashes, which are known once the first request has set it up."""
    return (
        f"default-src 'self'; script-src 'self' {' '.join(app.csp_hashes())}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


@app.server.after_request
def secure(response):
    response.headers["Content-Security-Policy"] = policy()
    response.headers.update(SECURITY)
    if request.path.startswith("/_dash-component-suites/"):
        response.headers.setdefault("Cache-Control", "private, no-cache")  # kept, and asked about: 1.5 MB of Plotly come once
    return response


# Nothing of Flask's or Dash's answers without a caller, and nothing is stored that does not say so.
app.server.wsgi_app = Require(app.server.wsgi_app)
