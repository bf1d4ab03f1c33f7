"""What surrounds every page: the head of the document, the navigation, who is signed in, and where notices appear."""

import dash
import dash_bootstrap_components as dbc
from dash import dcc, get_asset_url, get_relative_path, html

from access import who

PAGE = """<!DOCTYPE html>
<html lang="en">
  <head>
    {{%metas%}}
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{{%title%}}</title>
    <link rel="icon" type="image/png" href="{base}assets/icon.png">
    <script src="{base}assets/theme.js"></script>
    {{%css%}}
  </head>
  <body>
    <div id="session" role="alert" hidden></div>
    {{%app_entry%}}
    <footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer>
  </body>
</html>
"""


def layout():
    """Return the page's frame. It is asked for with every page load, so it may say who is signed in."""
    me = who()
    pages = [page for page in dash.page_registry.values() if page.get("group") is None or me.has(page["group"])]
    return html.Div(
        [
            html.Header(
                dbc.Container(
                    [
                        dcc.Link(
                            [html.Img(src=get_asset_url("icon.png"), alt="", width=32, height=32), "Solar coast"],
                            href=get_relative_path("/"),
                            className="brand",
                        ),
                        dbc.Nav(
                            [dbc.NavLink(page["name"], href=page["relative_path"], active="exact") for page in pages if page.get("listed", True)],
                            pills=True,
                        ),
                        html.Div(
                            [
                                dcc.Link(me.email or me.username, href=get_relative_path("/account"), className="me", id="me"),
                                html.Form(
                                    html.Button("Sign out", type="submit", className="btn btn-outline-secondary btn-sm"),
                                    action=get_relative_path("/auth/logout"),
                                    method="POST",
                                    id="sign-out",
                                ),
                            ],
                            className="who",
                        ),
                    ],
                    className="bar",
                ),
                **{"data-person": me.sub},
            ),
            html.Main(dash.page_container),
            dbc.Container(html.P("The figures are made up: data.py makes them with a seed."), className="foot"),
            dbc.Toast(id="notice", is_open=False, dismissable=True, icon="warning", header=""),
        ]
    )
