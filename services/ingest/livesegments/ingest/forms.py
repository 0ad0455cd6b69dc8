"""The forms of a profile's parts: attributes, tags, consent, score, names. Each reader notes its faults.

A reader of a list leaves an odd item out and returns the others; a reader of one value returns it only whole.
"""

from __future__ import annotations

from datetime import UTC
from math import isfinite
from typing import Any

from livesegments.core.fault import Faults, join, kind_name
from livesegments.core.typed import Misfit, since_1970
from livesegments.core.value import kind
from livesegments.core.window import parse_date
from livesegments.ingest.receipt import identifier

MAX_ITEMS = 1_000
STATES = ("opted_in", "opted_out", "none")
INT64 = 1 << 63
POINT = {"lat", "lon"}


def attribute(faults: Faults, name: str, value: Any, at: str) -> Any:
    """The value as it is kept. `null` removes the attribute."""
    identifier(faults, name, at)
    if value is None:
        return None
    if name == "created_at":
        return date(faults, value, at)
    if isinstance(value, dict):
        point(faults, value, at)
    elif isinstance(value, list):
        for index, item in enumerate(value[:MAX_ITEMS]):
            _scalar(faults, item, join(at, index))
        if len(value) > MAX_ITEMS:
            faults.add(at, "too_long", f"has {len(value)} items; at most {MAX_ITEMS} are allowed")
    else:
        _scalar(faults, value, at)
    return value


def _scalar(faults: Faults, value: Any, at: str) -> None:
    sort = kind(value)
    if sort == "number":
        number(faults, value, at)
    elif sort not in ("string", "boolean"):
        faults.add(at, "wrong_type", f"must be a string, a number or a boolean, not {kind_name(value)}")


def number(faults: Faults, value: Any, at: str) -> Any:
    """A finite number; a whole one of at most 64 bits."""
    if kind(value) != "number":
        faults.add(at, "wrong_type", f"must be a number, not {kind_name(value)}")
    elif not (-INT64 <= value < INT64 if type(value) is int else isfinite(value)):
        faults.add(at, "out_of_range", "must be a finite number; whole ones have at most 64 bits")
    return value


def date(faults: Faults, value: Any, at: str) -> Any:
    """A date as its text: ISO 8601 stays as it is, seconds and milliseconds since 1970 become it."""
    if isinstance(value, str):
        if parse_date(value, UTC) is None:
            faults.add(at, "bad_date", f"{value[:40]!r} is not an ISO 8601 date such as 2022-07-01")
        return value
    if kind(value) != "number":
        faults.add(at, "wrong_type", f"must be a date or a number of seconds, not {kind_name(value)}")
        return None
    try:
        return since_1970(value)
    except Misfit as misfit:
        faults.add(at, "out_of_range", str(misfit))
        return None


def point(faults: Faults, value: Any, at: str) -> None:
    """{lat, lon} in degrees."""
    node = faults.object(value, at, ("lat", "lon"), ("lat", "lon"))
    for name, most in (("lat", 90), ("lon", 180)):
        if node is None or name not in node:
            continue
        if kind(node[name]) != "number":
            faults.add(join(at, name), "wrong_type", "must be a number of degrees")
        elif not -most <= node[name] <= most:
            faults.add(join(at, name), "out_of_range", f"must be between {-most} and {most}")


def names(faults: Faults, value: Any, at: str) -> list[str]:
    found = faults.items(value, at, 0, MAX_ITEMS) or []
    read = [identifier(faults, item, join(at, index)) for index, item in enumerate(found)]
    return [name for name in read if name is not None]


def tags(faults: Faults, value: Any, at: str) -> dict[str, Any]:
    """A list adds, a string is one tag; an object adds and removes."""
    if isinstance(value, list | str):
        return {"tags_add": _tags(faults, value, at)}
    return added_and_removed(faults, value, at, "tags")


def _tags(faults: Faults, value: Any, at: str) -> list[str]:
    if not isinstance(value, str):
        return names(faults, value, at)
    tag = identifier(faults, value, at)
    return [] if tag is None else [tag]


def added_and_removed(faults: Faults, value: Any, at: str, prefix: str) -> dict[str, Any]:
    node = faults.object(value, at, ("add", "remove")) or {}
    reader = _tags if prefix == "tags" else names
    return {
        f"{prefix}_{part}": reader(faults, node[part], join(at, part))
        for part in ("add", "remove")
        if part in node
    }


def consent(faults: Faults, value: Any, at: str) -> dict[str, Any]:
    """One {channel?, topic?, state} or a list of them."""
    many = value if isinstance(value, list) else [value]
    if len(many) > MAX_ITEMS:
        faults.add(at, "too_long", f"has {len(many)} items; at most {MAX_ITEMS} are allowed")
        return {}
    read = []
    for index, item in enumerate(many):
        of_item = Faults()
        _consent(of_item, item, join(at, index) if isinstance(value, list) else at)
        if of_item.found:
            faults.found += of_item.found
        else:
            read.append(item)
    return {"consent": read} if read else {}


def _consent(faults: Faults, item: Any, at: str) -> None:
    node = faults.object(item, at, ("channel", "topic", "state"), ("state",))
    if node is None:
        return
    if "state" in node:
        faults.choice(node["state"], join(at, "state"), STATES)
    pair = [name for name in ("channel", "topic") if node.get(name) is not None]
    for name in pair:
        identifier(faults, node[name], join(at, name))
    if not pair:
        faults.add(at, "missing_field", "needs 'channel', 'topic' or both")


def score(faults: Faults, value: Any, at: str) -> dict[str, Any]:
    """A number sets it; {"set": n}, {"increment": n} or {"reset": true}, each with a reason if wanted."""
    if kind(value) == "number":
        return {"score": {"set": number(faults, value, at)}}
    node = faults.object(value, at, ("set", "increment", "reset", "reason"))
    if node is None:
        return {}
    given = [name for name in ("set", "increment", "reset") if name in node]
    if len(given) != 1:
        faults.add(at, "conflict", "needs one of 'set', 'increment' and 'reset'")
        return {}
    if node.get("reason") is not None:
        faults.name(node["reason"], join(at, "reason"))
    reason = {"reason": node["reason"]} if node.get("reason") is not None else {}
    name = given[0]
    if name != "reset":
        return {"score": {name: number(faults, node[name], join(at, name)), **reason}}
    if node["reset"] is not True:
        faults.add(join(at, "reset"), "wrong_type", "must be true")
    return {"score": {"set": 0, **reason}}
