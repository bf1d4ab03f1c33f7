"""All sites at a glance."""

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, callback, html

import data
import figures
from access import who

dash.register_page(__name__, path="/", name="Overview", title="Overview · Solar coast", order=0)

SPANS = {"30": "30 days", "90": "90 days", "365": "A year"}


def layout(**_):
    name = (who().email or who().username).split("@")[0]
    return dbc.Container(
        [
            html.Div(
                [
                    html.Div([html.H1("Overview"), html.P(f"Hello {name}. Six sites, until {data.LAST:%d %B %Y}.", className="text-body-secondary")]),
                    dbc.RadioItems(SPANS, "90", id="span", className="btn-group", inputClassName="btn-check",
                                   labelClassName="btn btn-outline-primary btn-sm", labelCheckedClassName="active"),
                ],
                className="heading",
            ),
            dbc.Checklist({key: site.name for key, site in data.SITES.items()}, list(data.SITES), id="sites", inline=True, className="sites"),
            html.Div(id="totals", className="totals", **{"aria-live": "polite"}),
            html.Div(id="plots"),
        ],
        className="py-4",
    )  # fmt: skip


@callback(Output("totals", "children"), Output("plots", "children"), Input("span", "value"), Input("sites", "value"))
def draw(span, keys):
    keys = [key for key in data.SITES if key in (keys or [])]
    days = int(span) if span in SPANS else 90
    if not keys:
        return [], dbc.Alert("Choose at least one site.", color="secondary")
    chosen = [day for key in keys for day in data.year(key)[-days:]]
    energy = sum(day.energy for day in chosen)
    peak = sum(data.SITES[key].peak for key in keys)
    sums = [sum(data.year(key)[-days + n].energy for key in keys) for n in range(days)]
    best = max(range(days), key=sums.__getitem__)
    totals = [
        _total("Energy", f"{energy / 1000:,.0f} MWh"),
        _total("For each kWp", f"{energy / peak:,.0f} kWh"),
        _total("Available", f"{100 * sum(day.available for day in chosen) / len(chosen):.1f} %"),
        _total("Best day", f"{data.DAYS[-days + best]:%d %b}", f"{sums[best] / 1000:,.1f} MWh"),
    ]
    span_words = SPANS[str(days)].lower()
    plots = [
        _card("What the sites made", figures.graph(figures.production(keys, days), f"Energy of {len(keys)} sites over {span_words}, stacked", id="production")),
        dbc.Row(
            [
                dbc.Col(
                    _card("Day by day", figures.graph(figures.calendar(keys, days), "Energy of each day as a calendar", id="calendar")),
                    lg=7,
                ),
                dbc.Col(_card("Site against site", figures.graph(figures.specific(keys, days), "Energy for each kilowatt installed, by site", id="specific")), lg=5),
            ],
            className="g-3 mt-0",
        ),
    ]
    return totals, plots


def _total(label, value, detail=""):
    return dbc.Card([html.Span(label, className="label"), html.Strong(value), html.Span(detail, className="label")], body=True)


def _card(title, child):
    return dbc.Card([html.H2(title), child], body=True, className="h-100")
