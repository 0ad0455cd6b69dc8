"""What waits, by partition: records of events that are not applied, due times that are late (a storm),
transitions that are not announced; and what a fault of ours keeps from being evaluated."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from nicegui import ui

from livesegments.client import operations, rejected, workspaces
from livesegments.client.operations import Course, Lag
from livesegments.console import formats, paths
from livesegments.console.pages.rejected.rows import row
from livesegments.console.parts.chart import Series, options
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, link, paragraph
from livesegments.console.visit import Visit

LOOK_S = 3.0
ASIDE = 5
FAULT = "internal_fault"
WAITING = ("Records waiting", "Due times late", "Not announced", "To be recounted")


async def build(visit: Visit) -> None:
    with Tag("div", "", "page-head"):
        heading("Health")
    says = Tag("p", "", role="status")
    hour = Hour(visit)
    aside = Tag("div", "", "stack")
    numbers = [Column(each, number=True) for each in WAITING]
    with table("Partitions", Column("Partition"), *numbers, Column("Clock")) as body:
        pass

    async def look() -> None:
        lag = await visit.api.send(operations.lag())
        own = await visit.api.send(workspaces.own())
        says.text = summary(lag)
        await hour.look()
        body.clear()
        with body:
            for each in lag.partitions:
                with Tag("tr"):
                    Tag("th", str(each.partition), "", scope="row")
                    for waiting in (max(0, each.end - each.applied), each.due, each.outbox, each.recounts):
                        Tag("td", formats.number(waiting), "number")
                    Tag("td", formats.exact(each.clock, visit.zone) if each.clock else "–")
        aside.clear()
        if own.degraded is None:
            return
        with aside:
            badge("degraded", "bad")
            parts = (own.degraded.events, own.degraded.dues, own.degraded.definitions)
            events, dues, definitions = map(formats.number, parts)
            paragraph(
                f"A fault of ours keeps {events} events, {dues} due times and {definitions} changes of "
                "definitions from being evaluated. They are kept, and can be applied once it is mended."
            )
            found = (await visit.api.send(rejected.page(code=FAULT, limit=ASIDE))).rejected
            if found:
                with table("Set aside last", "When", "What", "Why"):
                    for it in (row(one, visit.zone) for one in found):
                        with Tag("tr"):
                            Tag("td", it.when)
                            Tag("td", it.text, "break mono")
                            Tag("td", it.reason, "break")
            link("See all that was set aside", paths.with_query(paths.REJECTED, code=FAULT))

    await look()
    visit.every(LOOK_S, look)


class Hour:
    """What waited over the last hour: a storm of due times, as it builds up and is worked off."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        with Tag("section", "", "card section"):
            heading("The last hour", 2)
            name = "Due times that were late and records that waited, over the last hour"
            box = Tag("div", "", role="img", aria_label=f"{name}. The numbers of now are in the table.")
            with box:
                self._chart = ui.echart(options([], [])).classes("chart")

    async def look(self) -> None:
        hour = await self._visit.api.send(operations.lag_course())
        drawn = options(*course(hour, self._visit.zone))
        if drawn != self._chart.options:
            self._chart.options.clear()
            self._chart.options.update(drawn)
            self._chart.update()


def course(hour: Course, zone: ZoneInfo) -> tuple[list[str], list[Series]]:
    """Labels and lines of an hour that ends now. A step in which nobody looked is a gap. Pure."""
    if not hour.points:
        return [], []
    step_s = hour.step_s
    by_step = {round(each.at.timestamp()) // step_s: each for each in hour.points}
    now = round(hour.to.timestamp()) // step_s
    steps = range(now - 3_600 // step_s + 1, now + 1)
    points = [by_step.get(step) for step in steps]
    return (
        [f"{datetime.fromtimestamp(step * step_s, zone):%H:%M:%S}" for step in steps],
        [
            Series("Due times late", [each.due if each else None for each in points], "area"),
            Series("Records waiting", [each.records + each.inbound if each else None for each in points]),
        ],
    )


def backlog(lag: Lag) -> tuple[int, int]:
    """How many due times are late, and how many records wait, one of which may have many events; pure."""
    waiting = sum(max(0, each.end - each.applied) for each in lag.partitions) + lag.inbound
    return sum(each.due for each in lag.partitions), waiting


def summary(lag: Lag) -> str:
    """In one sentence."""
    late, waiting = backlog(lag)
    if not waiting and not late:
        return "All that came is applied, and nothing is late."
    return f"{formats.count(waiting, 'record')} of events to apply, {formats.count(late, 'due time')} late."
