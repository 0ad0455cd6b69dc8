"""Changing, resetting and deleting all profiles of a segment: filled in, counted, confirmed with the token of
that count, and then followed under Mass jobs, where it can be cancelled."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from livesegments.client import names
from livesegments.client.mass_jobs import MassCount
from livesegments.client.segments import Segment
from livesegments.console import formats, paths
from livesegments.console.pages.segments.actions import changes
from livesegments.console.pages.segments.actions.changes import Row, Wanted, Wrong
from livesegments.console.pages.segments.actions.export import listed
from livesegments.console.parts.button import Kind, button
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import Field, check_field, choice_field, text_field
from livesegments.console.parts.tag import Tag, paragraph
from livesegments.console.visit import Visit

MOST_ROWS = 100
MOST_OFFERED = 200
Fields: TypeAlias = tuple[Field[str], Field[str], Field[str]]
"""The name, the type and the value of an attribute."""
COUNT = "Nothing is done yet: next you see how many profiles it is about."
LATER = "Whoever enters or leaves meanwhile: no more than this many are touched."
UPDATED = "{} get this, as a change of their own in the timeline of every one of them:"
RESET = "The score of {} becomes 0. The reason stands in the timeline of every one of them: “{}”."
DELETED = """{} are erased, with all that is known of them, out of every segment and out of the archive. That
can't be taken back."""


async def update(visit: Visit, segment: Segment) -> None:
    seen = await visit.api.send(names.read())
    rows: list[Fields] = []
    dialog = Dialog(visit, f"Change all in {_name(segment)}")
    with dialog.body:
        with Tag("datalist") as offered:
            for each in seen.attributes[:MOST_OFFERED]:
                Tag("option", value=each.name)
        offered.set(id=f"offers-{offered.id}")
        place = Tag("div", "", "stack")

        def another() -> None:
            if len(rows) < MOST_ROWS:
                with place:
                    rows.append(_row(len(rows) + 1, f"offers-{offered.id}"))

        another()
        button("Another attribute", another, "quiet", "add")
        add = text_field("Add tags", hint="With commas between", longest=3_000)
        remove = text_field("Take tags off", hint="With commas between", longest=3_000)
        paragraph(COUNT, "muted small")

    async def count() -> None:
        filled = [Row(*(each.value for each in row)) for row in rows]
        try:
            given = changes.update(filled, listed(add.value), listed(remove.value))
        except Wrong as wrong:
            raise Refuse(str(wrong)) from wrong
        await _counted(visit, Wanted("update", segment.id, given), segment)

    dialog.offer("Count them", count).open()


def _row(number: int, offers: str) -> Fields:
    with Tag("fieldset", "", "stack tight"):
        Tag("legend", f"Attribute {number}")

        def typed(type_: str) -> None:
            value.box.set(hidden=type_ == "gone")

        name = text_field("Name", longest=256, list=offers, autocomplete="off")
        type_ = choice_field("What becomes of it", changes.TYPES, "text", changed=typed)
        value = text_field("Value", longest=8_000)
    return name, type_, value


def reset(visit: Visit, segment: Segment) -> None:
    dialog = Dialog(visit, f"Reset the score of all in {_name(segment)}")
    with dialog.body:
        hint = "It stands in the timeline of every profile."
        reason = text_field("Reason", hint=hint, longest=200, placeholder="A new season begins")
        paragraph(COUNT, "muted small")

    async def count() -> None:
        if not reason.value.strip():
            raise Refuse("Say why: the reason stands in every profile's timeline.")
        wanted = Wanted("reset_score", segment.id, {"reason": reason.value.strip()})
        await _counted(visit, wanted, segment)

    dialog.offer("Count them", count).open()


def delete(visit: Visit, segment: Segment) -> None:
    dialog = Dialog(visit, f"Delete all profiles in {_name(segment)}")
    with dialog.body:
        paragraph("The profiles themselves go, not just their membership. The segment stays.")
        keep_out = check_field("Keep them out", hint="Events that come later of these ids are dropped, too.")
        paragraph(COUNT, "muted small")

    async def count() -> None:
        await _counted(visit, Wanted("delete", segment.id, {"keep_out": keep_out.value}), segment)

    dialog.offer("Count them", count).open()


async def _counted(visit: Visit, wanted: Wanted, segment: Segment) -> None:
    """Asks for the confirmation of so many."""
    counted = await visit.api.send(wanted.count())
    if not counted.count:
        raise Refuse("Nobody is in it now: there is nothing to do.")
    many = formats.count(counted.count, "profile")
    dialog = Dialog(visit, f"{TITLES[wanted.action]} {many} of {_name(segment)}?")
    with dialog.body:
        typed = None
        match wanted.action:
            case "update":
                paragraph(UPDATED.format(many))
                with Tag("ul", "", "stack tight bullets"):
                    for line in changes.said(wanted.given):
                        Tag("li", line, "break")
            case "reset_score":
                paragraph(RESET.format(many, formats.short(wanted.given["reason"], 200)), "break")
            case "delete":
                paragraph(DELETED.format(many))
                typed = text_field(
                    "Type how many they are, to be sure", hint=str(counted.count), longest=20,
                    inputmode="numeric", autocomplete="off",
                )  # fmt: skip
        until = formats.moment(counted.expires_at, visit.zone)
        paragraph(f"{LATER} This count holds until {until}.", "muted small")

    async def begin(count: MassCount) -> None:
        if typed is not None and typed.value.strip().replace(",", "") != str(count.count):
            raise Refuse(f"That is not their number, which is {count.count}.")
        await visit.api.send(wanted.begin(count.confirm))
        visit.go(paths.MASS_JOBS)

    kind: Kind = "danger" if wanted.action == "delete" else "primary"
    dialog.offer(TITLES[wanted.action], partial(begin, counted), kind).open()


TITLES = {"update": "Change", "reset_score": "Reset the score of", "delete": "Delete"}


def _name(segment: Segment) -> str:
    return formats.short(segment.name, 60)
