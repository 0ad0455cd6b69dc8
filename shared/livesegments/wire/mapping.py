"""The form `json` of a webhook: a JSON document of the author's own, in which `$` names a field.

`{"contact": "$profile", "list": {"name": "vip", "joined": "$at"}}` becomes
`{"contact": "ann", "list": {"name": "vip", "joined": "2026-01-31T09:30:00.000Z"}}`.

A text is a field as a whole or a text as it stands: nothing is computed, so nothing can be injected. `$$` at
the beginning stands for one `$`. `$computed.spent` is a computed attribute that the transition carries, or
null.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from livesegments.core.fault import Fault, join

FIELDS = frozenset(
    {
        "id",
        "workspace",
        "segment",
        "profile",
        "kind",
        "at",
        "sequence",
        "cause",
        "event_id",
        "version",
        "computed",
    }
)
COMPUTED = "computed."
MOST_PARTS, DEEPEST = 100, 5


def faults_of(mapping: Any, pointer: str) -> list[Fault]:
    """Every name that is no field, and too large a document."""
    found = [
        Fault(where, "unknown_field", f"there is no field '{name}'; there are {', '.join(sorted(FIELDS))}")
        for where, name in _named(mapping, pointer)
        if name not in FIELDS and not name.startswith(COMPUTED)
    ]
    if sum(1 for _ in _parts(mapping)) > MOST_PARTS or _depth(mapping) > DEEPEST:
        told = f"at most {MOST_PARTS} values, {DEEPEST} deep, are allowed"
        found.append(Fault(pointer, "too_large", told))
    return found


def applied(mapping: Any, fields: dict[str, Any]) -> Any:
    """`fields` are those of a transition as receivers see it."""
    if isinstance(mapping, dict):
        return {name: applied(value, fields) for name, value in mapping.items()}
    if isinstance(mapping, list):
        return [applied(value, fields) for value in mapping]
    if not isinstance(mapping, str) or not mapping.startswith("$"):
        return mapping
    name = mapping[1:]
    if name.startswith("$"):
        return name
    if name.startswith(COMPUTED):
        return (fields.get("computed") or {}).get(name.removeprefix(COMPUTED))
    return fields.get(name)


def _named(part: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(part, dict):
        for name, value in part.items():
            yield from _named(value, join(pointer, name))
    elif isinstance(part, list):
        for at, value in enumerate(part):
            yield from _named(value, join(pointer, at))
    elif isinstance(part, str) and part.startswith("$") and not part.startswith("$$"):
        yield pointer, part[1:]


def _parts(part: Any) -> Iterator[Any]:
    yield part
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _parts(each)


def _depth(part: Any) -> int:
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return 1 + max(map(_depth, inner), default=0)
