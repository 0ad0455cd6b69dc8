"""Cloning, archiving, taking up again, deleting: each after a confirmation that says what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import UNSET

from livesegments.client import segments
from livesegments.client.segments import Segment, User
from livesegments.console import formats, paths
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import text_field
from livesegments.console.parts.tag import Tag, link, paragraph
from livesegments.console.visit import Visit

SHOWN = 20
"""More of what depends on a segment is a number."""
CLONE = "The copy has its definition, description, tags, folder and topics. A static list begins empty."
ARCHIVE = """{} will leave it, and nothing is evaluated for it until it is taken up again. Its definition and
its versions stay."""
DELETE = """{} will leave it; the profiles themselves are untouched. Its versions go with it, and it can't be
brought back. Nothing depends on it."""


async def clone(visit: Visit, segment: Segment) -> None:
    dialog = Dialog(visit, f"Clone {_name(segment)}")
    with dialog.body:
        paragraph(CLONE)
        name = text_field("Name of the copy", longest=200, placeholder=f"{_name(segment)} (copy)")

    async def make() -> None:
        made = await visit.api.send(segments.clone(segment.id, name=name.value.strip() or UNSET))
        visit.go(paths.segment(made.id))

    dialog.offer("Clone", make).open()


async def archive(visit: Visit, segment: Segment, again: Callable[[], None]) -> None:
    users = await _users(visit, segment)
    dialog = Dialog(visit, f"Archive {_name(segment)}?")
    if any(not each.archived for each in users):
        _refused(dialog, "It can't be archived while these need it:", users)
        return
    with dialog.body:
        paragraph(ARCHIVE.format(formats.count(segment.count, "profile")))

    async def do() -> None:
        await visit.api.send(segments.archive(segment.id, if_match=segment.version))
        visit.say(f"{_name(segment)} is archived.")
        again()

    dialog.offer("Archive", do).open()


async def unarchive(visit: Visit, segment: Segment, again: Callable[[], None]) -> None:
    dialog = Dialog(visit, f"Take {_name(segment)} up again?")
    with dialog.body:
        paragraph("It is built from history; whoever fits it now enters it.")

    async def do() -> None:
        await visit.api.send(segments.unarchive(segment.id, if_match=segment.version))
        visit.say(f"{_name(segment)} is taken up again.")
        again()

    dialog.offer("Take up again", do).open()


async def delete(visit: Visit, segment: Segment, again: Callable[[], None]) -> None:
    users = await _users(visit, segment)
    dialog = Dialog(visit, f"Delete {_name(segment)}?")
    if users:
        _refused(dialog, "It can't be deleted while these need it. Change or delete them first:", users)
        return
    with dialog.body:
        paragraph(DELETE.format(formats.count(segment.count, "profile")))
        typed = text_field("Type its id to be sure", hint=segment.id, longest=200, autocomplete="off")

    async def do() -> None:
        if typed.value.strip() != segment.id:
            raise Refuse(f"That is not its id, which is {segment.id}.")
        await visit.api.send(segments.delete(segment.id, if_match=segment.version))
        visit.say(f"{_name(segment)} is deleted.")
        again()

    dialog.offer("Delete", do, "danger").open()


async def _users(visit: Visit, segment: Segment) -> Sequence[User]:
    return (await visit.api.send(segments.used_by(segment.id))).used_by


def _refused(dialog: Dialog, why: str, users: Sequence[User]) -> None:
    with dialog.body:
        paragraph(why)
        show_users(users)
    dialog.offer_close().open()


def show_users(users: Sequence[User]) -> None:
    """What depends on a segment, as a list."""
    with Tag("ul", "", "stack tight"):
        for each in users[:SHOWN]:
            with Tag("li", "", "break"):
                Tag("span", f"{each.kind.replace('_', ' ')}: ", "muted")
                if each.kind == "segment":
                    link(formats.short(each.name or each.id), paths.segment(each.id))
                else:
                    Tag("span", formats.short(each.name or each.id))
        if len(users) > SHOWN:
            Tag("li", f"and {formats.number(len(users) - SHOWN)} more", "muted")


def _name(segment: Segment) -> str:
    return formats.short(segment.name, 60)
