"""What waits, by partition: events that are not applied, due times that are late (a storm), transitions that
are not announced; and what a fault of ours keeps from being evaluated."""

from __future__ import annotations

from collections import deque

from nicegui import ui

from livesegments.client import operations, rejected, workspaces
from livesegments.client.operations import Lag
from livesegments.console import formats, paths
from livesegments.console.pages.rejected.rows import row
from livesegments.console.parts.chart import Series, options
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, link, paragraph
from livesegments.console.visit import Visit

LOOK_S = 3.0
POINTS = 200
"""The course covers ten minutes."""
ASIDE = 5
FAULT = "internal_fault"
WAITING = ("Events waiting", "Due times late", "Not announced", "To be recounted")


async def build(visit: Visit) -> None:
    with Tag("div", "", "page-head"):
        heading("Health")
    says = Tag("p", "", role="status")
    course = Course()
    aside = Tag("div", "", "stack")
    numbers = [Column(each, number=True) for each in WAITING]
    with table("Partitions", Column("Partition"), *numbers, Column("Clock")) as body:
        pass

    async def look() -> None:
        lag = await visit.api.send(operations.lag())
        own = await visit.api.send(workspaces.own())
        says.text = summary(lag)
        course.add(lag)
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


class Course:
    """What waited while the page was open: a storm of due times, as it builds up and is worked off."""

    def __init__(self) -> None:
        self._points = deque[tuple[int, int]](maxlen=POINTS)
        with Tag("section", "", "card section"):
            heading("The last minutes", 2)
            name = "Due times that are late and events that wait, since this page was opened"
            box = Tag("div", "", role="img", aria_label=f"{name}. The numbers of now are in the table.")
            with box:
                self._chart = ui.echart(options([], [])).classes("chart")

    def add(self, lag: Lag) -> None:
        late, waiting = backlog(lag)
        self._points.append((late, waiting))
        drawn = options(
            [ago(number) for number in reversed(range(len(self._points)))],
            [
                Series("Due times late", [late for late, _ in self._points], "area"),
                Series("Events waiting", [waiting for _, waiting in self._points]),
            ],
        )
        self._chart.options.clear()
        self._chart.options.update(drawn)
        self._chart.update()


def ago(looks: int) -> str:
    """How long ago so many looks before the newest one were; pure."""
    seconds = round(looks * LOOK_S)
    return f"−{seconds // 60}:{seconds % 60:02}" if seconds else "now"


def backlog(lag: Lag) -> tuple[int, int]:
    """How many due times are late, and how many events wait; pure."""
    waiting = sum(max(0, each.end - each.applied) for each in lag.partitions) + lag.inbound
    return sum(each.due for each in lag.partitions), waiting


def summary(lag: Lag) -> str:
    """In one sentence."""
    late, waiting = backlog(lag)
    if not waiting and not late:
        return "All that came is applied, and nothing is late."
    return f"{formats.count(waiting, 'event')} to be applied, {formats.count(late, 'due time')} late."
