"""A row of a file as a change of a profile: which column is the id, which are attributes and of which type.
Pure.

Example: the columns `Mail`, `Age`, `Tags`, `News` with the e-mail as the id, and `News` as the consent to
channel email: the row `Ann@example.com,42,"vip; new",yes` is `{"profile": "ann@example.com", "attributes":
{"email": "Ann@example.com", "age": 42}, "tags": {"add": ["vip", "new"]}, "consent": [{"state": "opted_in",
"channel": "email"}]}`. A row with a cell that isn't of its type is refused as a whole, with the reasons of
all its cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from livesegments.api.imports.table import Row
from livesegments.core import ids
from livesegments.core.declared import Declared
from livesegments.core.fault import Fault, shown
from livesegments.core.typed import Misfit, read

MAX_EVENT_BYTES = 32 * 1024
MAX_ITEMS = 1_000
EMAIL = "email"
RESERVED = frozenset({"tags", "consent", "score", "groups", "lists"})
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_ITEMS = re.compile(r"[;,]")
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?", re.ASCII)
_FLAGS = frozenset({"true", "false", "yes", "no"})
_STATES = frozenset({"opted_in", "opted_out", "none"})
_FLAG = Declared("boolean")


class Column(Struct, frozen=True, omit_defaults=True):
    """Where a column goes. `declared`: the type by which its cells are read; `channel`, `topic`: of a
    consent, one of them or both."""

    column: str
    to: Literal["attribute", "tags", "consent"]
    attribute: str = ""
    declared: Declared = Declared("text")
    channel: str = ""
    topic: str = ""


class Plan(Struct, frozen=True, omit_defaults=True):
    """What becomes of a file. `by_email`: the column of the id has addresses, which are ids in lower case.

    `remove_empty`: an empty cell takes the attribute away; else it says nothing."""

    id_column: str
    by_email: bool
    columns: tuple[Column, ...]
    remove_empty: bool = False
    segment: str = ""


class Reader:
    """Reads rows by a plan; the header has all of its columns."""

    def __init__(self, plan: Plan, header: Iterable[str]) -> None:
        places = {name: at for at, name in enumerate(header)}
        self._plan, self._id = plan, places[plan.id_column]
        self._columns = [(each, places[each.column]) for each in plan.columns]

    def read(self, row: Row) -> dict[str, Any] | list[Fault]:
        """The change, or the faults of the row; a fault's pointer is the column's name."""
        if row.fault:
            return [Fault("", "unreadable", row.fault)]
        faults: list[Fault] = []
        attributes: dict[str, Any] = {}
        tags: list[str] = []
        consents: list[dict[str, str]] = []
        profile = self._profile(row.cells[self._id], attributes, faults)
        for column, at in self._columns:
            cell = row.cells[at]
            if column.to == "tags":
                tags += self._tags(column, cell, faults)
            elif column.to == "consent":
                consents += _consent(column, cell.strip(), faults)
            elif cell.strip():
                try:
                    attributes[column.attribute] = _value(column.declared, cell)
                except Misfit as misfit:
                    code = "unknown_choice" if "choices" in str(misfit) else "wrong_type"
                    faults.append(Fault(column.column, code, str(misfit)))
            elif self._plan.remove_empty:
                attributes[column.attribute] = None
        if faults:
            return faults
        made: dict[str, Any] = {"profile": profile, "attributes": attributes}
        if tags:
            made["tags"] = {"add": list(dict.fromkeys(tags))}
        if consents:
            made["consent"] = consents
        if self._plan.segment:
            made["lists"] = {"add": [self._plan.segment]}
        if len(msgspec.json.encode(made)) > MAX_EVENT_BYTES:
            told = f"is more than {MAX_EVENT_BYTES} bytes as an event: import fewer columns"
            return [Fault("", "too_long", told)]
        return made

    def _profile(self, cell: str, attributes: dict[str, Any], faults: list[Fault]) -> str:
        given = cell.strip()
        found = ids.fault_of(given)
        if found is not None:
            faults.append(Fault(self._plan.id_column, *found))
        elif self._plan.by_email:
            if not _ADDRESS.fullmatch(given):
                faults.append(Fault(self._plan.id_column, "bad_email", "is no e-mail address"))
            attributes[EMAIL] = given
            return given.lower()
        return given

    def _tags(self, column: Column, cell: str, faults: list[Fault]) -> list[str]:
        found = [each.strip() for each in _ITEMS.split(cell) if each.strip()]
        for each in found:
            if (wrong := ids.fault_of(each)) is not None:
                faults.append(Fault(column.column, *wrong))
        return found


def _consent(column: Column, cell: str, faults: list[Fault]) -> list[dict[str, str]]:
    """The consent that the cell gives or takes back; an empty one says nothing."""
    if not cell:
        return []
    state = cell.casefold().replace(" ", "_").replace("-", "_")
    if state not in _STATES:
        try:
            state = "opted_in" if read(_FLAG, cell) else "opted_out"
        except Misfit:
            told = f"must be opted_in, opted_out, none, yes or no, not {shown(cell)}"
            faults.append(Fault(column.column, "unknown_choice", told))
            return []
    pair = {"channel": column.channel, "topic": column.topic}
    return [{"state": state, **{part: name for part, name in pair.items() if name}}]


def _value(declared: Declared, cell: str) -> Any:
    """Raises Misfit."""
    if declared.type == "list":
        items = [each.strip() for each in _ITEMS.split(cell) if each.strip()]
        if len(items) > MAX_ITEMS:
            raise Misfit(f"has {len(items)} items; at most {MAX_ITEMS} are read")
        return read(declared, items)
    value = read(declared, cell if declared.type == "text" else cell.strip())
    if declared.type == "point" and not (abs(value["lat"]) <= 90 and abs(value["lon"]) <= 180):
        raise Misfit("has a latitude beyond 90 or a longitude beyond 180 degrees")
    return value


def typed(plan: Plan, declared: Mapping[str, Declared]) -> Plan:
    """The plan with the declared types: what the workspace declares of an attribute holds."""
    columns = tuple(
        msgspec.structs.replace(each, declared=declared[each.attribute])
        if each.to == "attribute" and each.attribute in declared
        else each
        for each in plan.columns
    )
    return msgspec.structs.replace(plan, columns=columns)


def guessed(cells: Iterable[str]) -> Literal["number", "boolean", "date", "text"]:
    """The type that all of these cells have, but for empty ones."""
    given = [each.strip() for each in cells if each.strip()]
    if not given:
        return "text"
    # 01067 is no number: a postcode would lose its zero
    if all(_NUMBER.fullmatch(each) and not re.match(r"[+-]?0\d", each) for each in given):
        return "number"
    if all(each.casefold() in _FLAGS for each in given):
        return "boolean"
    if all(_DATE.fullmatch(each) for each in given):
        return "date"
    return "text"
