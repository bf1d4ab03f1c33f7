"""What an address that leads nowhere shows."""

import dash
import dash_bootstrap_components as dbc
from dash import dcc, get_relative_path, html

dash.register_page(__name__, name="Not found", title="Not found · Solar coast", listed=False)


def layout(**_):
    return dbc.Container(
        [html.H1("There is nothing here"), html.P(dcc.Link("Go to the overview", href=get_relative_path("/")))],
        className="py-5 narrow",
    )
