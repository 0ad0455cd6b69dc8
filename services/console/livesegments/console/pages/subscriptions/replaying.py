"""Sends a range of time again: beside what is new, under the same ids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from livesegments.client import subscriptions
from livesegments.console import formats
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import text_field
from livesegments.console.parts.tag import paragraph
from livesegments.console.visit import Visit

Again = Callable[[], Awaitable[None]]


def instant(text: str, zone: ZoneInfo) -> str:
    """A browser's date and time, which is meant in the workspace's zone, as ISO 8601. Raises ValueError."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()


def ask(visit: Visit, id_: str) -> None:
    dialog = Dialog(visit, "Send again")
    with dialog.body:
        paragraph(f"What was announced then goes out once more, with its old ids. Times are in {visit.zone}.")
        since = text_field("From", kind="datetime-local", longest=40)
        until = text_field("To", kind="datetime-local", longest=40)

    async def replay() -> None:
        try:
            first, last = instant(since.value, visit.zone), instant(until.value, visit.zone)
        except ValueError as error:
            raise Refuse("Give both times.") from error
        made = await visit.api.send(subscriptions.replay(id_, first, last))
        visit.say(f"Goes through {formats.count(made.records, 'transition')} of that time.")

    dialog.offer("Send again", replay)
    dialog.open()
