"""Plots: a picture by ECharts, and the same as a table for whoever does not see it. Example:

    plot("Size", ["1 Nov", "2 Nov"], [Series("Profiles", [10, 12])])

Labels and names are drawn as texts on a canvas: ECharts' tooltips are `richText`, which knows no markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct
from nicegui import ui

from livesegments.console import formats
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag

COLORS = ("#3b6fd8", "#2b9a66", "#c2410c", "#8b5cf6", "#b4881a", "#0e8a9c")
"""At least 3:1 on the light and on the dark surface."""
INK, GRID = "#7f8794", "#8a92a033"


class Series(Struct, frozen=True):
    """`kind`: a line, an area under a line, or bars. `stack`: bars of one stack stand on each other. None:
    no value."""

    name: str
    values: Sequence[float | None]
    kind: Literal["line", "area", "bar"] = "line"
    stack: str = ""
    dashed: bool = False


def plot(name: str, labels: Sequence[str], series: Sequence[Series], unit: str = "") -> ui.echart:
    """The chart, whose `options` may change while the page is open. `name`: what it shows, in words."""
    with Tag("figure", "", "chart-box"):
        box = Tag("div", "", "", role="img", aria_label=f"{name}. The same numbers are in the table below.")
        with box:
            chart = ui.echart(options(labels, series)).classes("chart")
        with Tag("details"):
            Tag("summary", "As a table")
            columns = [Column(each.name, number=True) for each in series]
            with table(name, unit or "When", *columns):
                for at, label in enumerate(labels):
                    with Tag("tr"):
                        Tag("th", label, scope="row")
                        for each in series:
                            value = each.values[at]
                            Tag("td", "–" if value is None else formats.number(value), "number")
    return chart


def options(labels: Sequence[str], series: Sequence[Series]) -> dict[str, Any]:
    """As ECharts wants them; pure."""
    named = len(series) > 1 or any(each.kind == "bar" for each in series)
    return {
        "color": list(COLORS),
        "animation": False,
        "textStyle": {"fontFamily": "system-ui, sans-serif", "color": INK},
        "grid": {"left": 8, "right": 12, "top": 36 if named else 14, "bottom": 10, "containLabel": True},
        "legend": {
            "show": named, "top": 0, "left": 0, "icon": "roundRect", "itemWidth": 12, "itemHeight": 8,
            "textStyle": {"color": INK},
        },
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "xAxis": {
            "type": "category", "data": list(labels), "axisLabel": {"color": INK, "hideOverlap": True},
            "axisLine": {"lineStyle": {"color": GRID}}, "axisTick": {"show": False},
        },
        "yAxis": {
            "type": "value", "minInterval": 1, "axisLabel": {"color": INK},
            "splitLine": {"lineStyle": {"color": GRID}},
        },
        "series": [_drawn(each, len(labels)) for each in series],
    }  # fmt: skip


def _drawn(series: Series, points: int) -> dict[str, Any]:
    drawn: dict[str, Any] = {"name": series.name, "data": list(series.values)}
    if series.kind == "bar":
        return {**drawn, "type": "bar", "barMaxWidth": 18, "stack": series.stack or None}
    drawn |= {"type": "line", "showSymbol": points < 2, "symbolSize": 6}
    drawn["lineStyle"] = {"width": 2, "type": "dashed" if series.dashed else "solid"}
    if series.kind == "area":
        drawn["areaStyle"] = {"opacity": 0.14}
    return drawn
