"""A segment's days as plots, and its forecast as rows: pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from livesegments.client.planning import Ahead, Day
from livesegments.console import formats
from livesegments.console.parts.chart import Series

CAUSES = {
    "event": "an event", "attribute": "an attribute", "clock": "time passing", "definition": "an edit",
    "backfill": "history", "import": "a list",
}  # fmt: skip
TIMES = {"24h": "24 hours", "7d": "7 days", "30d": "30 days"}


class Outlook(Struct, frozen=True):
    """A line of the forecast, as it is read."""

    within: str
    leave: str
    enter: str


def labels(days: Sequence[Day]) -> list[str]:
    return [f"{day.day.day} {day.day:%b}" for day in days]


def sizes(days: Sequence[Day]) -> list[Series]:
    return [Series("Profiles", [day.size for day in days], "area")]


def moves(days: Sequence[Day]) -> list[Series]:
    """Who entered stands above the line, who exited below it, by what caused it. Causes that never were are
    left out."""
    causes = sorted({each.cause for day in days for each in day.causes})
    series = []
    for cause in causes:
        by_day = [{each.cause: each for each in day.causes}.get(cause) for day in days]
        entered = [each.entered if each else 0 for each in by_day]
        exited = [-each.exited if each else 0 for each in by_day]
        if any(entered):
            series.append(Series(f"Entered by {said(cause)}", entered, "bar", "moves"))
        if any(exited):
            series.append(Series(f"Exited by {said(cause)}", exited, "bar", "moves"))
    return series


def said(cause: str) -> str:
    return CAUSES.get(cause, cause.replace("_", " "))


def outlook(ahead: Sequence[Ahead]) -> list[Outlook]:
    return [
        Outlook(
            f"Within {TIMES.get(each.within, each.within)}",
            margined(each.leave, each.leave_margin),
            margined(each.enter, each.enter_margin),
        )
        for each in ahead
    ]


def margined(value: int, margin: int) -> str:
    """1,200 ± 30; an exact number has no margin."""
    return formats.number(value) + (f" ± {formats.number(margin)}" if margin else "")
