"""What only admins see. The layout asks for the group, and so does every callback: anybody who is signed in can send what Dash sends for them."""

import csv
import io

import dash
import dash_bootstrap_components as dbc
from dash import Input, Output, callback, dcc, html

import data
from access import page_for, require_group, require_recent_sign_in

dash.register_page(__name__, path="/admins", name="Admins", title="Admins · Solar coast", order=2, group="admins")


@page_for("admins")
def layout(**_):
    return dbc.Container(
        [
            html.H1("Admins"),
            html.P("What the sites earn. Only members of the group admins get these figures; the file wants a sign-in of the last five minutes."),
            dbc.RadioItems({"30": "30 days", "365": "A year"}, "30", id="earning-span", inline=True, className="mb-3"),
            html.Div(id="earnings"),
            dbc.Button("Download as CSV", id="export", color="primary"),
            dcc.Download(id="file"),
        ],
        className="py-4 narrow",
    )


def _earnings(days):
    return [(site.name, energy := sum(d.energy for d in data.year(key)[-days:]), site.tariff, energy * site.tariff) for key, site in data.SITES.items()]


@callback(Output("earnings", "children"), Input("earning-span", "value"))
def earnings(span):
    require_group("admins")
    rows = _earnings(365 if span == "365" else 30)
    number = {"className": "text-end"}
    head = html.Thead(html.Tr([html.Th("Site"), html.Th("MWh", **number), html.Th("€ / kWh", **number), html.Th("€", **number)]))
    body = [
        html.Tr([html.Td(name), html.Td(f"{energy / 1000:,.1f}", **number), html.Td(f"{tariff:.3f}", **number), html.Td(f"{euro:,.0f}", **number)])
        for name, energy, tariff, euro in rows
    ]
    total = html.Tfoot(html.Tr([html.Th("All"), html.Td(), html.Td(), html.Th(f"{sum(row[3] for row in rows):,.0f}", **number)]))
    return html.Div(dbc.Table([head, html.Tbody(body), total], hover=True), className="table-responsive")


@callback(Output("file", "data"), Input("export", "n_clicks"), prevent_initial_call=True)
def export(_):
    require_group("admins")
    require_recent_sign_in()
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["site", "kwh", "tariff_eur", "eur"])
    rows.writerows((name, round(energy, 1), tariff, round(euro, 2)) for name, energy, tariff, euro in _earnings(365))
    return {"content": text.getvalue(), "filename": "earnings.csv", "type": "text/csv"}
