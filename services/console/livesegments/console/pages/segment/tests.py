"""The tests of a definition: what they expect, and whether it holds."""

from __future__ import annotations

from livesegments.client import trials
from livesegments.client.segments import Segment
from livesegments.client.trials import Seen
from livesegments.console import formats, paths
from livesegments.console.pages.segment.head import begin
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import table
from livesegments.console.parts.tag import Tag, badge, paragraph
from livesegments.console.visit import Visit

WHAT = "Timelines that the definition is tried on at each edit: one that fails refuses the edit."
NONE = """A test is a profile's timeline, and when it should be in the segment. It is added where the segment
is edited."""


async def build(visit: Visit) -> None:
    head = await begin(visit, "tests")
    if not head.segment.tests:
        writes = visit.may("write") and head.segment.type == "dynamic"
        empty(
            "No test yet",
            NONE,
            "fact_check",
            "Edit the segment" if writes else "",
            paths.edit_segment(head.segment.id),
        )
        return
    paragraph(WHAT, "muted")
    place = Tag("div", "", "stack tight")
    await _run(visit, head.segment, place)
    button("Run them again", lambda: _run(visit, head.segment, place), picture="play_arrow")


async def _run(visit: Visit, segment: Segment, place: Tag) -> None:
    found = await visit.api.send(trials.run(segment.id))
    place.clear()
    with place, table("Tests", "Test", "Expected", "Result"):
        for each in found.tests:
            with Tag("tr"):
                Tag("th", formats.short(each.name), "break", scope="row")
                with Tag("td"), Tag("ul", "", "stack tight"):
                    for seen in each.seen:
                        Tag("li", expected(seen, visit))
                    if each.why:
                        Tag("li", formats.short(each.why), "break")
                with Tag("td"):
                    badge("passed", "good") if each.passed else badge("failed", "bad")


def expected(seen: Seen, visit: Visit) -> str:
    """In it at 3 Feb 2024, 00:00: it is."""
    wanted = "In it" if seen.expected else "Not in it"
    if seen.is_in is None:
        return f"{wanted} at {formats.moment(seen.at, visit.zone)}"
    is_so = "it is" if seen.is_in == seen.expected else "it is not"
    return f"{wanted} at {formats.moment(seen.at, visit.zone)}: {is_so}"
