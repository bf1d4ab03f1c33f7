"""One site. What is chosen stands in the address, so that a link leads to exactly what its sender saw: /site?name=farm&from=2026-05-01&to=2026-08-31&show=ratio"""

from datetime import date

import dash
import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, callback, clientside_callback, dcc, html

import data
import figures

dash.register_page(__name__, path="/site", name="Sites", title="Site · Solar coast", order=1)

SHOWS = {"energy": "Energy", "ratio": "Performance", "sun": "Sun"}


def layout(name=None, show=None, to=None, **rest):
    first, last = _span(rest.get("from"), to)
    return dbc.Container(
        [
            html.H1("Site"),
            dbc.Row(
                [
                    dbc.Col([dbc.Label("Site", html_for="name"), dbc.Select({k: s.name for k, s in data.SITES.items()}, _site(name), id="name")], sm=6, lg=3),
                    dbc.Col([dbc.Label("From", html_for="first"), _date("first", first)], xs=6, lg=2),
                    dbc.Col([dbc.Label("To", html_for="last"), _date("last", last)], xs=6, lg=2),
                    dbc.Col([dbc.Label("Show", html_for="show"), dbc.Select(SHOWS, _show(show), id="show")], sm=6, lg=3),
                    dbc.Col(html.Div(["Copy link", dcc.Clipboard(id="link", title="Copy the link to this view")], className="copy"), lg=2),
                ],
                className="g-3 mb-3 align-items-end",
            ),
            html.Div(id="site"),
        ],
        className="py-4",
    )


@callback(Output("site", "children"), Input("name", "value"), Input("first", "value"), Input("last", "value"), Input("show", "value"))
def draw(name, first, last, show):
    key, (start, end) = _site(name), _span(first, last)
    days, site, show = data.between(key, start, end), data.SITES[key], _show(show)
    outages = sum(day.available < 1 for day in days)
    return [
        html.P(f"{site.name}: {site.peak:,} kWp. {len(days)} days, {sum(d.energy for d in days) / 1000:,.1f} MWh, {outages} days with an outage.", id="summary"),
        dbc.Card([html.H2(SHOWS[show]), figures.graph(figures.course(key, days, show), f"{SHOWS[show]} of {site.name}, day by day", id="course")], body=True, className="mb-3"),
        dbc.Card([html.H2("Energy against sun"), figures.graph(figures.against_sun(key, days), f"Energy of {site.name} over the sun of the day", id="against-sun")], body=True),
    ]


# The address follows what is chosen, without a page load and without asking anybody: assets/session.js.
clientside_callback(
    ClientsideFunction("page", "address"), Output("link", "content"), Input("name", "value"), Input("first", "value"), Input("last", "value"), Input("show", "value")
)


def _site(name):
    return name if isinstance(name, str) and name in data.SITES else next(iter(data.SITES))


def _show(show):
    return show if isinstance(show, str) and show in SHOWS else "energy"


def _span(first, last):
    """Return the days meant, within the year that there is; what cannot be read is the whole of it."""
    start, end = _day(first) or data.FIRST, _day(last) or data.LAST
    start, end = max(start, data.FIRST), min(end, data.LAST)
    return (start, end) if start <= end else (data.FIRST, data.LAST)


def _day(text):
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):  # no date, none at all, or two
        return None


def _date(name, day):
    return dbc.Input(id=name, type="date", value=day.isoformat(), min=data.FIRST.isoformat(), max=data.LAST.isoformat())
