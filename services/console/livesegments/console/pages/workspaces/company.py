"""A company is made, or its name, zone and quotas become others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from zoneinfo import available_timezones

from msgspec import UNSET

from livesegments.client import workspaces
from livesegments.client.workspaces import WeekStart
from livesegments.console import formats
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import Field, choice_field, text_field
from livesegments.console.parts.tag import Tag
from livesegments.console.visit import Visit

Again = Callable[[], Awaitable[None]]
WEEKS: dict[str, str] = {"monday": "on Monday", "sunday": "on Sunday"}
QUOTAS = {
    "segments": "Most segments",
    "profiles": "Most profiles",
    "events_per_s": "Most events a second",
    "names": "Most names of events",
}


def create(visit: Visit, again: Again) -> None:
    dialog = Dialog(visit, "New company")
    with dialog.body:
        name = text_field("Name", longest=200)
        hint = "In addresses and files; it never changes. Empty: one is chosen."
        id_ = text_field("Id", longest=64, hint=hint, placeholder="acme")
        zone, week = _rest("UTC", "monday")

    async def make() -> None:
        request = workspaces.create(
            _named(name), id=id_.value.strip() or UNSET, timezone=zone.value.strip(), week_start=_week(week)
        )
        made = await visit.admin.send(request)
        visit.say(f"{formats.short(made.name, 60)} is made. It needs a key for those who work in it.")
        await again()

    dialog.offer("Make it", make).open()


async def edit(visit: Visit, id_: str, again: Again) -> None:
    company = await visit.admin.send(workspaces.read(id_))
    dialog = Dialog(visit, f"Edit {formats.short(company.name, 60)}")
    before = {each: getattr(company.quotas, each) for each in QUOTAS}
    with dialog.body:
        name = text_field("Name", company.name, longest=200)
        zone, week = _rest(company.timezone, company.week_start)
        quotas = {
            each: text_field(
                text, "" if before[each] is None else str(before[each]), longest=12, inputmode="numeric",
                placeholder="As the settings of the services have it",
            )
            for each, text in QUOTAS.items()
        }  # fmt: skip

    async def save() -> None:
        changed = changes(before, {each: field.value for each, field in quotas.items()})
        request = workspaces.edit(
            id_, if_match=company.version, name=_named(name), timezone=zone.value.strip(),
            week_start=_week(week), quotas=changed or UNSET,
        )  # fmt: skip
        saved = await visit.admin.send(request)
        visit.say(f"{formats.short(saved.name, 60)} is saved.")
        await again()

    dialog.offer("Save", save).open()


def changes(before: Mapping[str, int | None], typed: Mapping[str, str]) -> dict[str, int | None]:
    """The quotas that are others now; None: as the services' settings have it. Raises Refuse."""
    changed: dict[str, int | None] = {}
    for name, text in typed.items():
        digits = text.strip().replace(",", "")
        if digits and not (digits.isascii() and digits.isdecimal()):
            raise Refuse(f"{QUOTAS[name]}: a whole number, or nothing.")
        now = int(digits) if digits else None
        if now != before[name]:
            changed[name] = now
    return changed


def _rest(zone: str, week: str) -> tuple[Field[str], Field[str]]:
    offered = Tag("datalist")
    offered.set(id=f"zones-{offered.id}")
    with offered:
        for each in sorted(available_timezones()):
            Tag("option", value=each)
    hint = "Days, dates and times of its segments are those of this zone."
    zones: dict[str, Any] = {"list": f"zones-{offered.id}", "autocomplete": "off"}
    return (
        text_field("Time zone", zone, longest=64, hint=hint, **zones),
        choice_field("Weeks begin", WEEKS, week),
    )


def _named(name: Field[str]) -> str:
    if not name.value.strip():
        raise Refuse("Give it a name.")
    return name.value.strip()


def _week(field: Field[str]) -> WeekStart:
    return "sunday" if field.value == "sunday" else "monday"
