"""What waits, by partition: events that are not applied, due times that are late (a storm), transitions that
are not announced; and what a fault of ours keeps from being evaluated."""

from __future__ import annotations

from livesegments.client import operations, workspaces
from livesegments.client.operations import Lag
from livesegments.console import formats, paths
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, link, paragraph
from livesegments.console.visit import Visit

LOOK_S = 3.0
WAITING = ("Events waiting", "Due times late", "Not announced", "To be recounted")


async def build(visit: Visit) -> None:
    with Tag("div", "", "page-head"):
        heading("Health")
    says = Tag("p", "", role="status")
    aside = Tag("div", "", "stack")
    numbers = [Column(each, number=True) for each in WAITING]
    with table("Partitions", Column("Partition"), *numbers, Column("Clock")) as body:
        pass

    async def look() -> None:
        lag = await visit.api.send(operations.lag())
        own = await visit.api.send(workspaces.own())
        says.text = summary(lag)
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
            link("See what was set aside", paths.with_query(paths.REJECTED, code="internal_fault"))

    await look()
    visit.every(LOOK_S, look)


def summary(lag: Lag) -> str:
    """In one sentence."""
    waiting = sum(max(0, each.end - each.applied) for each in lag.partitions) + lag.inbound
    late = sum(each.due for each in lag.partitions)
    if not waiting and not late:
        return "All that came is applied, and nothing is late."
    return f"{formats.count(waiting, 'event')} to be applied, {formats.count(late, 'due time')} late."
