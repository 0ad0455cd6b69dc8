"""The tests of a definition: what they expect, and whether it holds."""

from __future__ import annotations

from functools import partial

from livesegments.client import trials
from livesegments.client.segments import Segment
from livesegments.client.trials import Seen
from livesegments.console import formats
from livesegments.console.pages.segment import testing
from livesegments.console.pages.segment.head import begin
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, paragraph
from livesegments.console.visit import Visit

WHAT = "Timelines that the definition is tried on at each edit: one that fails refuses the edit."
NONE = "A test is what happens to a profile, and when it should be in the segment then."
OF_A_LIST = "Who is on a list is said by name: there is no definition that could be tried."


async def build(visit: Visit) -> None:
    head = await begin(visit, "tests")
    segment = head.segment
    if segment.type == "static":
        empty("A list has no tests", OF_A_LIST, "fact_check")
        return
    writes = visit.may("write") and segment.archived_at is None
    if not segment.tests:
        empty("No test yet", NONE, "fact_check")
    else:
        paragraph(WHAT, "muted")
    place = Tag("div", "", "stack tight")
    if segment.tests:
        await _run(visit, segment, place, writes)
    with Tag("div", "", "row" if segment.tests else "row centred"):
        if writes:
            button("New test", partial(testing.add, visit, segment), "primary", "add")
        if segment.tests:
            button("Run them again", lambda: _run(visit, segment, place, writes), picture="play_arrow")


async def _run(visit: Visit, segment: Segment, place: Tag, writes: bool) -> None:
    found = await visit.api.send(trials.run(segment.id))
    place.clear()
    heads = [*map(Column, ("Test", "Expected", "Result"))]
    if writes:
        heads.append(Column("What to do", hidden=True))
    with place, table("Tests", *heads):
        for number, each in enumerate(found.tests):
            name = formats.short(each.name)
            with Tag("tr"):
                Tag("th", name, "break", scope="row")
                with Tag("td"), Tag("ul", "", "stack tight"):
                    for seen in each.seen:
                        Tag("li", expected(seen, visit))
                    if each.why:
                        Tag("li", formats.short(each.why), "break")
                with Tag("td"):
                    badge("passed", "good") if each.passed else badge("failed", "bad")
                if writes:
                    with Tag("td", "", "actions"):
                        away = partial(testing.take_away, visit, segment, number)
                        button("Take away", away, "quiet", label=f"Take away the test {name}")


def expected(seen: Seen, visit: Visit) -> str:
    """In it at 3 Feb 2024, 00:00: it is."""
    wanted = "In it" if seen.expected else "Not in it"
    if seen.is_in is None:
        return f"{wanted} at {formats.moment(seen.at, visit.zone)}"
    is_so = "it is" if seen.is_in == seen.expected else "it is not"
    return f"{wanted} at {formats.moment(seen.at, visit.zone)}: {is_so}"
