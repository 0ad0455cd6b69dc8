"""Declares an attribute. How many values would not fit is shown first, before anything is declared."""

from __future__ import annotations

from typing import Any, cast

from msgspec import Struct

from livesegments.client import fields
from livesegments.client.fields import Field, Fit, Type
from livesegments.console import formats, paths
from livesegments.console.pages.fields import rows
from livesegments.console.parts.button import button
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import choice_field, text_field
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, paragraph
from livesegments.console.visit import Visit


class Form(Struct, frozen=True):
    """As it was filled in. `choices`: one a line."""

    name: str
    type: str
    label: str = ""
    description: str = ""
    choices: str = ""
    format: str = ""
    timezone: str = ""

    def given(self) -> dict[str, Any]:
        """The arguments of the client's `check` and `declare`, but for `accept_misfits`."""
        return {
            "name": self.name.strip(),
            "type": cast(Type, self.type),
            "label": self.label.strip(),
            "description": self.description.strip(),
            "choices": [_choice(self.type, each) for each in self.choices.splitlines() if each.strip()],
            "format": self.format.strip() if self.type == "date" else "",
            "timezone": self.timezone.strip() if self.type == "date" else "",
        }


def _choice(type_: str, text: str) -> str | float:
    """A number where numbers are declared; the api says what is wrong with one that is none."""
    if type_ == "number":
        try:
            return int(text)
        except ValueError:
            try:
                return float(text)
            except ValueError:
                return text
    return text.strip()


def ask(visit: Visit, name: str, old: Field | None) -> None:
    """`name`: empty where it is to be given, too; `old`: the declaration that is changed."""
    dialog = Dialog(visit, f"Declare {formats.short(name, 60)}" if name else "Declare an attribute")
    checked: list[tuple[dict[str, Any], Fit]] = []
    with dialog.body:
        paragraph("Values that come from then on are read as its type: “42” as 42.", "muted")
        name_field = text_field("Name", name, longest=256, readonly=bool(name))

        def turned(type_: str) -> None:
            dates.set(hidden=type_ != "date")

        type_field = choice_field("Type", rows.TYPES, old.type if old else "text", changed=turned)
        label = text_field("Name for people", old.label if old else "", longest=200)
        says = text_field("Description", old.description if old else "", longest=1_000)
        choices = text_field(
            "The only values it may have", "\n".join(map(str, old.choices)) if old else "", lines=3,
            hint="One a line; none: any value.", longest=100_000,
        )  # fmt: skip
        with Tag("div", "", "stack", hidden=not (old and old.type == "date")) as dates:
            form = text_field(
                "Form of dates beside ISO 8601", old.format if old else "", hint="DD/MM/YYYY, say"
            )
            zone = text_field(
                "Time zone of dates that name none", old.timezone if old else "", hint="Europe/Kyiv, say"
            )
        found = Tag("div", "", "stack tight", aria_live="polite")

    def filled() -> dict[str, Any]:
        return Form(
            name_field.value, type_field.value, label.value, says.value, choices.value, form.value, zone.value
        ).given()

    async def declare() -> None:
        """The first press only counts."""
        given = filled()
        if not checked or checked[-1][0] != given:
            fit = await visit.api.send(fields.check(**given))
            checked.append((given, fit))
            _shown(found, fit)
            if fit.misfits or fit.unfit_segments:
                raise Refuse("Nothing is declared yet. Press once more to declare it all the same.")
        fit = checked[-1][1]
        await visit.api.send(fields.declare(**given, accept_misfits=bool(fit.misfits)))
        visit.go(paths.FIELDS)

    async def count() -> None:
        given = filled()
        checked.append((given, await visit.api.send(fields.check(**given))))
        _shown(found, checked[-1][1])

    async def remove() -> None:
        await visit.api.send(fields.delete(name))
        visit.go(paths.FIELDS)

    with dialog.body:
        button("Count what would not fit", count, picture="rule")
    if old is not None:
        dialog.offer("Take the declaration back", remove, "danger")
    dialog.offer("Declare", declare)
    dialog.open()


def _shown(place: Tag, fit: Fit) -> None:
    place.clear()
    with place:
        for line in rows.fit(fit):
            paragraph(line, "break")
        if fit.sample:
            with table("Values that do not fit", "Value", "Must be", Column("Profiles", number=True)):
                for value, told, profiles in rows.odd(fit):
                    with Tag("tr"):
                        Tag("td", value, "break")
                        Tag("td", told, "break")
                        Tag("td", profiles, "number")
