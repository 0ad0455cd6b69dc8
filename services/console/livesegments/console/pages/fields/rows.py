"""Attributes, events and computed attributes as rows of texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.client.computed import ComputedAttribute
from livesegments.client.fields import Field, Fit
from livesegments.client.names import SeenEvent, SeenPath
from livesegments.console import formats
from livesegments.console.pages.profiles.shown import value

TYPES = {
    "text": "Text", "number": "Number", "boolean": "Yes or no", "date": "Date", "list": "List",
    "point": "Place",
}  # fmt: skip
MEASURES = {
    "count": "How many", "days": "On how many days", "sum": "Sum", "avg": "Average", "min": "Smallest",
    "max": "Largest", "distinct": "How many different", "first": "First value", "last": "Latest value",
    "mode": "Most frequent value", "first_at": "First time", "last_at": "Latest time",
}  # fmt: skip
PLAIN = ("count", "days", "first_at", "last_at")
"""Measures of no property."""
VALUES = 4


class Attribute(Struct, frozen=True):
    """`declared`: None where it is not; `types`: those of the values that were seen."""

    name: str
    types: str
    seen: str
    values: str
    declared: Field | None


class Happening(Struct, frozen=True):
    name: str
    seen: str
    properties: str


class Measured(Struct, frozen=True):
    id: str
    what: str
    gives: str
    state: str
    kind: str
    used: str


def attributes(seen: Iterable[SeenPath], declared: Iterable[Field], zone: ZoneInfo) -> list[Attribute]:
    """Those that were seen and those that are declared, by name."""
    known = {each.name: each for each in declared}
    rows = {
        each.name: Attribute(
            each.name,
            ", ".join(each.types),
            _seen(each.last_seen, zone),
            values(each.values),
            known.get(each.name),
        )
        for each in seen
    }
    for name, field in known.items():
        rows.setdefault(name, Attribute(name, "", "never", "", field))
    return [rows[name] for name in sorted(rows)]


def events(seen: Iterable[SeenEvent], zone: ZoneInfo) -> list[Happening]:
    """Those that were sent, not those that are derived."""
    return [
        Happening(
            formats.short(each.name),
            _seen(each.last_seen, zone),
            formats.short(", ".join(part.name for part in each.properties), 160),
        )
        for each in seen
        if not each.derived
    ]


def computed(given: Iterable[ComputedAttribute], zone: ZoneInfo) -> list[Measured]:
    return [
        Measured(
            each.id, measure(each.definition), each.gives,
            *(("Ready", "good") if each.state == "ready" else (_progress(each), "warn")),
            formats.count(len(each.used_by), "segment"),
        )
        for each in given
    ]  # fmt: skip


def measure(definition: Any) -> str:
    """`Sum of total of order_placed, last 90d`."""
    measured = definition.get("measure") or {}
    of = MEASURES.get(measured.get("of", "count"), str(measured.get("of")))
    what = f"{of} of {measured['property']} of" if measured.get("property") else f"{of} of"
    names = definition.get("names") or [definition.get("name", "")]
    window = definition.get("window") or {}
    spans = ", ".join(f"{name} {value(given)}" for name, given in window.items() if given is not None)
    return formats.short(f"{what} {' or '.join(map(str, names))}" + (f", {spans}" if spans else ""))


def declaration(field: Field) -> str:
    """`Number`, `Text: free, pro`, `Date as DD/MM/YYYY`."""
    said = TYPES.get(field.type, field.type)
    if field.choices:
        said += f": {', '.join(value(each) for each in field.choices[:VALUES])}"
        said += ", …" if len(field.choices) > VALUES else ""
    return formats.short(said + (f" as {field.format}" if field.format else ""), 120)


def fit(found: Fit) -> list[str]:
    """What a declaration would come to, one sentence each."""
    lines = [f"{formats.count(found.fit, 'profile has', 'profiles have')} a value of this type."]
    if found.readable:
        said = "has one that is read as it" if found.readable == 1 else "have one that is read as it"
        lines.append(f"{formats.number(found.readable)} {said}.")
    if found.misfits:
        said = "has a value that does" if found.misfits == 1 else "have values that do"
        lines.append(
            f"{formats.number(found.misfits)} {said} not fit: they stay as they are if you accept that."
        )
    if found.unfit_segments:
        lines.append(f"Conditions of these segments do not fit: {', '.join(found.unfit_segments[:10])}.")
    return lines


def odd(found: Fit) -> list[tuple[str, str, str]]:
    """The value, what it must be, how many profiles have it."""
    return [(value(each.value), each.told, formats.number(each.profiles)) for each in found.sample]


def values(given: Sequence[Any]) -> str:
    shown = ", ".join(formats.short(value(each), 40) for each in given[:VALUES])
    return shown + (", …" if len(given) > VALUES else "")


def _seen(when: Any, zone: ZoneInfo) -> str:
    return "" if when is None else formats.moment(when, zone)


def _progress(each: ComputedAttribute) -> str:
    return f"Building: {formats.number(each.progress.done)} of {formats.number(each.progress.total)}"
