"""Plots. Their text, lines and grounds follow the page's light or dark theme by style.css, so no figure knows the theme."""

from datetime import timedelta

import plotly.graph_objects as go
from dash import dcc, html

import data

COLOURS = {"harbour": "#e8871e", "ferry": "#2f7fb8", "school": "#8a63b8", "farm": "#3a9d6e", "dairy": "#d1495b", "depot": "#8d7a2e"}


def graph(figure: go.Figure, says: str, **rest):
    """Return a plot with the sentence that a screen reader reads in its place."""
    height = figure.layout.height or 320
    return html.Div(
        dcc.Graph(figure=figure, config={"displayModeBar": False, "responsive": True}, style={"height": f"{height}px"}, **rest),
        role="img",
        **{"aria-label": says},
        className="plot",
    )


def _figure(*traces, **layout) -> go.Figure:
    figure = go.Figure(traces)
    axis = {"automargin": True, "zeroline": False, "fixedrange": True}
    figure.update_layout(
        template="none",
        font={"family": "system-ui, sans-serif", "size": 13},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hoverlabel={"font": {"color": "#1b2430"}, "bgcolor": "#ffffff"},
        legend={"orientation": "h", "y": -0.16, "x": 0},
    )
    figure.update_xaxes(showgrid=False, **axis)
    figure.update_yaxes(**axis)
    return figure.update_layout(**layout)


def production(keys: list[str], days: int) -> go.Figure:
    """Return what the sites made, stacked: by day, or by week where there are many days."""
    step = 7 if days > 120 else 1
    dates = data.DAYS[-days:]
    starts = dates[::step]
    traces = []
    for key in keys:
        energy = [day.energy for day in data.year(key)[-days:]]
        sums = [sum(energy[n : n + step]) / 1000 for n in range(0, len(energy), step)]
        traces.append(
            go.Scatter(
                x=starts, y=[round(s, 2) for s in sums], name=data.SITES[key].name, stackgroup="all", mode="lines",
                line={"width": 0.5, "color": COLOURS[key]}, hovertemplate="%{y:.1f} MWh",
            )
        )  # fmt: skip
    figure = _figure(*traces, height=360, hovermode="x unified")
    return figure.update_yaxes(title_text="MWh a week" if step == 7 else "MWh a day", rangemode="tozero")


def specific(keys: list[str], days: int) -> go.Figure:
    """Return what each site made for each kilowatt that is installed."""
    rows = sorted((sum(day.energy for day in data.year(key)[-days:]) / data.SITES[key].peak, key) for key in keys)
    return _figure(
        go.Bar(
            x=[round(value) for value, _ in rows], y=[data.SITES[key].name for _, key in rows], customdata=[key for _, key in rows], orientation="h",
            marker={"color": [COLOURS[key] for _, key in rows]}, text=[f"{value:,.0f}" for value, _ in rows], textposition="auto",
            hovertemplate="%{x} kWh/kWp<extra></extra>",
        ),
        height=300,
    ).update_xaxes(title_text="kWh for each kWp", showgrid=True)  # fmt: skip


def calendar(keys: list[str], days: int) -> go.Figure:
    """Return every day as a square: weeks from left to right, Monday at the top."""
    dates = data.DAYS[-days:]
    monday = dates[0] - timedelta(dates[0].weekday())
    weeks = (dates[-1] - monday).days // 7 + 1
    cells = [[None] * weeks for _ in range(7)]
    names = [[""] * weeks for _ in range(7)]
    for n, day in enumerate(dates):
        total = sum(data.year(key)[-days + n].energy for key in keys) / 1000
        row, column = day.weekday(), (day - monday).days // 7
        cells[row][column], names[row][column] = round(total, 1), f"{day:%a %d %b %Y}"
    return _figure(
        go.Heatmap(
            z=cells, text=names, x=[monday + timedelta(7 * n) for n in range(weeks)], y=["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], xgap=2, ygap=2,
            colorscale=[[0, "#24476b"], [0.5, "#e8871e"], [1, "#ffe08a"]], colorbar={"thickness": 10, "ticksuffix": " MWh"}, hoverongaps=False,
            hovertemplate="%{text}: %{z} MWh<extra></extra>",
        ),
        height=300,
    ).update_yaxes(autorange="reversed")  # fmt: skip


def course(key: str, days: list[data.Day], show: str) -> go.Figure:
    """Return a site's days, and their mean over a week."""
    site = data.SITES[key]
    value = {
        "energy": lambda day: day.energy,
        "ratio": lambda day: 100 * day.energy / (day.sun * site.peak),
        "sun": lambda day: day.sun,
    }[show]
    unit = {"energy": "kWh", "ratio": "% of what the sun allows", "sun": "kWh/m²"}[show]
    values = [round(value(day), 2) for day in days]
    means = [round(sum(values[max(n - 3, 0) : n + 4]) / len(values[max(n - 3, 0) : n + 4]), 2) for n in range(len(values))]
    dates = [day.date for day in days]
    single = {"name": "day", "marker": {"color": COLOURS[key], "opacity": 0.45}, "hovertemplate": "%{y:.1f}"}
    figure = _figure(
        go.Scatter(x=dates, y=values, mode="markers", **single) if show == "ratio" else go.Bar(x=dates, y=values, **single),
        go.Scatter(x=dates, y=means, name="mean of a week", line={"color": COLOURS[key], "width": 2.5, "shape": "spline"}, hovertemplate="%{y:.1f}"),
        height=340,
        hovermode="x unified",
    )
    return figure.update_yaxes(title_text=unit, rangemode="normal" if show == "ratio" else "tozero")


def against_sun(key: str, days: list[data.Day]) -> go.Figure:
    """Return a site's energy over the sun that it got; days with an outage stand out."""
    whole, broken = [d for d in days if d.available == 1], [d for d in days if d.available < 1]
    return _figure(
        go.Scatter(x=[d.sun for d in whole], y=[d.energy for d in whole], mode="markers", name="all day", marker={"color": COLOURS[key], "size": 7, "opacity": 0.7},
                   text=[f"{d.date:%d %b %Y}" for d in whole], hovertemplate="%{text}: %{y:.0f} kWh<extra></extra>"),
        go.Scatter(x=[d.sun for d in broken], y=[d.energy for d in broken], mode="markers", name="with an outage", marker={"color": "#d1495b", "size": 9, "symbol": "x"},
                   text=[f"{d.date:%d %b %Y}" for d in broken], hovertemplate="%{text}: %{y:.0f} kWh<extra></extra>"),
        height=320,
    ).update_xaxes(title_text="sun, kWh/m²").update_yaxes(title_text="kWh", rangemode="tozero")  # fmt: skip
