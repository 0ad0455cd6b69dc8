"""Erases a person, after a question. What was erased can't be had again."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from livesegments.client import erasures
from livesegments.client.erasures import Erasure
from livesegments.console import formats, paths
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import check_field, text_field
from livesegments.console.parts.tag import paragraph
from livesegments.console.visit import Visit

WORD = "erase"


def state(found: Erasure, zone: ZoneInfo) -> str:
    """How far it is, as a sentence."""
    if found.state == "accepted":
        return f"Erasure {found.id} is accepted, and applied within moments."
    left = formats.count(found.segments_left, "segment")
    said = f"Erasure {found.id}: the person is out of profiles and out of {left}."
    if found.state == "done":
        done = "" if found.done_at is None else f" since {formats.moment(found.done_at, zone)}"
        said += f" No file has anything of them{done}."
    elif found.due_at is not None:
        said += f" Files are rewritten until {formats.moment(found.due_at, zone)} at the latest."
    return said + (" Later events of the person are dropped." if found.suppressed else "")


def ask(visit: Visit, profile: str) -> None:
    """The dialog; afterwards one sees how far the erasure is."""
    dialog = Dialog(visit, f"Erase {formats.short(profile, 80)}?")
    with dialog.body:
        paragraph(
            "Everything that is kept of this person goes: profile, memberships, history. "
            "Events that come later are dropped. It can't be undone."
        )
        typed = text_field(f"Type “{WORD}” to confirm", longest=20, autocomplete="off")
        at_once = check_field("Rewrite all files at once", hint="Otherwise within the time that was agreed.")

    async def erase() -> None:
        if typed.value.strip().lower() != WORD:
            raise Refuse(f"Type “{WORD}” first: then nobody is erased by a slip.")
        made = await visit.api.send(erasures.create(profile, at_once=at_once.value))
        visit.go(paths.with_query(paths.PROFILES, erasure=made.id))

    dialog.offer("Erase for good", erase, "danger")
    dialog.open()
