"""A test of a definition is filled in, or taken away."""

from __future__ import annotations

from collections.abc import Sequence

from livesegments.client import names, segments
from livesegments.client.segments import Segment
from livesegments.console import formats, paths
from livesegments.console.pages.segment.trying import KINDS, Expects, Happens, Wrong, made, written
from livesegments.console.parts.button import button
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import Field, choice_field, text_field
from livesegments.console.parts.tag import Tag, paragraph
from livesegments.console.visit import Visit

MOST = 20
MOST_OFFERED = 200
WHAT = """Somebody new, to whom this happens. The segment is tried on it now, and whenever it is edited: an
edit with which it fails is refused."""


async def add(visit: Visit, segment: Segment) -> None:
    seen = await visit.api.send(names.read())
    dialog = Dialog(visit, "New test")
    happens: list[tuple[Field[str], Field[str], Field[str], Field[str]]] = []
    expects: list[tuple[Field[str], Field[str]]] = []
    with dialog.body:
        offered = Tag("datalist")
        offered.set(id=f"test-names-{offered.id}")
        with offered:
            known = [each.name for each in seen.events] + [each.name for each in seen.attributes]
            for each in known[:MOST_OFFERED]:
                Tag("option", value=each)
        paragraph(f"{WHAT} Times are those of {visit.zone.key}.", "muted small")
        name = text_field("Name", longest=200, placeholder="An order counts for 30 days")
        events = Tag("div", "", "stack")

        def another_event() -> None:
            if len(happens) == MOST:
                return
            with events, Tag("fieldset", "", "stack tight"):
                Tag("legend", f"What happens, {len(happens) + 1}")
                happens.append(
                    (
                        text_field("When", kind="datetime-local", longest=30),
                        choice_field("What", KINDS, "event"),
                        text_field(
                            "Its name", longest=256, list=f"test-names-{offered.id}", autocomplete="off"
                        ),
                        text_field("With", longest=2_000, placeholder="total: 12.5, or an attribute's value"),
                    )
                )

        button("Something else happens", another_event, "quiet", "add")
        instants = Tag("div", "", "stack")

        def another_instant() -> None:
            if len(expects) == MOST:
                return
            with instants, Tag("fieldset", "", "stack tight"):
                Tag("legend", f"What is expected, {len(expects) + 1}")
                expects.append(
                    (
                        text_field("At", kind="datetime-local", longest=30),
                        choice_field("The profile is", {"in": "in the segment", "out": "not in it"}, "in"),
                    )
                )

        button("Another instant", another_instant, "quiet", "add")
        another_event()
        another_instant()

    async def save() -> None:
        rows = [Happens(*(field.value for field in row)) for row in happens]
        wanted = [Expects(at.value, is_in.value == "in") for at, is_in in expects]
        try:
            test = made(name.value, rows, wanted, visit.zone)
        except Wrong as wrong:
            raise Refuse(str(wrong)) from wrong
        await _put(visit, segment, [*map(written, segment.tests), test])

    dialog.offer("Save the test", save).open()


def take_away(visit: Visit, segment: Segment, number: int) -> None:
    test = segment.tests[number]
    dialog = Dialog(visit, f"Take away the test “{formats.short(test.name, 60)}”?")
    with dialog.body:
        paragraph("Edits are not tried on it any more.")

    async def remove() -> None:
        rest = [written(each) for at, each in enumerate(segment.tests) if at != number]
        await _put(visit, segment, rest)

    dialog.offer("Take it away", remove, "danger").open()


async def _put(visit: Visit, segment: Segment, tests: Sequence[object]) -> None:
    await visit.api.send(segments.edit(segment.id, if_match=segment.version, tests=tests))
    visit.go(paths.segment(segment.id, "tests"))
