"""Makes a computed attribute, and deletes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Struct

from livesegments.client import computed
from livesegments.client.computed import ComputedAttribute
from livesegments.client.names import SeenEvent
from livesegments.client.request import Request
from livesegments.console import formats, paths
from livesegments.console.pages.fields.rows import MEASURES, PLAIN
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import choice_field, text_field
from livesegments.console.parts.tag import Tag, paragraph
from livesegments.console.visit import Visit

MOST = 500
"""Names that are offered."""


class Form(Struct, frozen=True):
    """As it was filled in. `days`: empty for all of history."""

    id: str
    event: str
    of: str = "count"
    property: str = ""
    days: str = ""
    description: str = ""

    def request(self) -> Request[ComputedAttribute]:
        """Raises ValueError, in words for people; the api says what else is wrong."""
        if not self.id.strip():
            raise ValueError("Give it an id: conditions name it computed: and this id.")
        if not self.event.strip():
            raise ValueError("Give the event that it is about.")
        measure: dict[str, Any] = {"of": self.of}
        if self.of not in PLAIN:
            if not self.property.strip():
                raise ValueError("Give the property of the event that is measured.")
            measure["property"] = self.property.strip()
        window: Any = UNSET
        if self.days.strip():
            if not self.days.strip().isdecimal():
                raise ValueError("Give the days as a whole number, or none for all of history.")
            window = {"last": f"{int(self.days)}d"}
        return computed.put_attribute(
            self.id.strip(),
            measure,
            name=self.event.strip(),
            window=window,
            description=self.description.strip(),
        )


def ask(visit: Visit, events: Sequence[SeenEvent]) -> None:
    dialog = Dialog(visit, "Compute an attribute")
    with dialog.body:
        paragraph(
            "A measure of events, kept live for every profile: “how much they spent in 90 days”.", "muted"
        )
        id_ = text_field("Id", longest=64, hint="Letters, digits, _ and -: spent_90d", spellcheck="false")
        event = text_field("Event", longest=256)
        event.control.set(list=f"events{dialog.body.id}")
        with Tag("datalist", id=f"events{dialog.body.id}"):
            for each in [each for each in events if not each.derived][:MOST]:
                Tag("option", value=each.name)
        of = choice_field("What is measured", MEASURES, "count")
        name = text_field("Property", longest=256, hint="Of the event, where one is measured: total, say.")
        days = text_field("In the last days", hint="None: all of history.", inputmode="numeric")
        says = text_field("Description", longest=1_000)

    async def make() -> None:
        form = Form(id_.value, event.value, of.value, name.value, days.value, says.value)
        try:
            request = form.request()
        except ValueError as error:
            raise Refuse(str(error)) from error
        await visit.api.send(request)
        visit.go(paths.FIELDS)

    dialog.offer("Make it", make)
    dialog.open()


def delete(visit: Visit, id_: str) -> None:
    dialog = Dialog(visit, f"Delete {formats.short(id_, 80)}?")
    with dialog.body:
        paragraph("Profiles have it no more. It is refused while segments ask about it.")

    async def remove() -> None:
        await visit.api.send(computed.delete_attribute(id_))
        visit.go(paths.FIELDS)

    dialog.offer("Delete", remove, "danger")
    dialog.open()
