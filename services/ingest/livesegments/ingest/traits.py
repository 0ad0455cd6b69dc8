"""A change of a profile from outside: traits or attributes, and the reserved ones among them.

Attributes are typed by their values. `tags`, `consent`, `score`, `groups`, `created_at` and `location` are
reserved: each is checked for its own form. Returns the properties of a `$profile` event
(`core.event.ProfileChange`), only with what was given.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from livesegments.core.fault import Faults, join, kind_name
from livesegments.core.value import kind
from livesegments.core.window import parse_date
from livesegments.ingest.receipt import identifier

MAX_ITEMS = 1_000
STATES = ("opted_in", "opted_out", "none")
BESIDE = ("tags", "consent", "score", "groups", "lists")
"""What our own form has beside `attributes`."""


def from_traits(faults: Faults, traits: dict[str, Any], at: str) -> dict[str, Any]:
    """Segment's traits: reserved names lie among the attributes.

    An object such as `address` is several attributes, `address.city` and so on.
    """
    change: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, value in traits.items():
        where = join(at, name)
        match name:
            case "tags" | "consent" | "score" | "groups" if value is None:
                continue
            case "tags":
                change |= tags(faults, value, where)
            case "consent":
                change |= consent(faults, value, where)
            case "score":
                change |= score(faults, value, where)
            case "groups":
                faults.add(where, "reserved_name", "groups are added by a group call")
            case _:
                for part, inner, place in _parts(name, value, where):
                    attribute(faults, part, inner, place)
                    attributes[part] = inner
    if attributes:
        change["attributes"] = attributes
    return change


def _parts(name: str, value: Any, at: str) -> Iterator[tuple[str, Any, str]]:
    """(name, value, pointer) of each attribute in a trait."""
    if not isinstance(value, dict) or name == "location" or value.keys() == {"lat", "lon"}:
        yield name, value, at
        return
    for part, inner in value.items():
        yield from _parts(f"{name}.{part}", inner, join(at, part))


def from_own(faults: Faults, item: dict[str, Any]) -> dict[str, Any]:
    """Our own form: the parts of a change beside `attributes`."""
    change: dict[str, Any] = {}
    given = item.get("attributes")
    if isinstance(given, dict):
        for name, value in given.items():
            if name in BESIDE:
                told = f"{name!r} is no attribute: put it beside 'attributes'"
                faults.add(join("/attributes", name), "reserved_name", told)
            else:
                attribute(faults, name, value, join("/attributes", name))
        if given:
            change["attributes"] = given
    elif given is not None:
        faults.add("/attributes", "wrong_type", f"must be an object, not {kind_name(given)}")
    if item.get("tags") is not None:
        change |= tags(faults, item["tags"], "/tags")
    if item.get("consent") is not None:
        change |= consent(faults, item["consent"], "/consent")
    if item.get("score") is not None:
        change |= score(faults, item["score"], "/score")
    if item.get("groups") is not None:
        change["groups"] = names(faults, item["groups"], "/groups")
    if item.get("lists") is not None:
        change |= _both(faults, item["lists"], "/lists", "lists")
    return change


def attribute(faults: Faults, name: str, value: Any, at: str) -> None:
    identifier(faults, name, at)
    if value is None:
        return
    if name == "location" or kind(value) == "point":
        point(faults, value, at)
    elif name == "created_at":
        if not isinstance(value, str) or parse_date(value, UTC) is None:
            faults.add(at, "bad_date", "must be an ISO 8601 date such as 2022-07-01")
    elif isinstance(value, list):
        for index, item in enumerate(value[:MAX_ITEMS]):
            if kind(item) not in ("string", "number", "boolean"):
                told = f"must be a string, a number or a boolean, not {kind_name(item)}"
                faults.add(join(at, index), "wrong_type", told)
        if len(value) > MAX_ITEMS:
            faults.add(at, "too_long", f"has {len(value)} items; at most {MAX_ITEMS} are allowed")


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
    """A list adds; an object adds and removes."""
    if isinstance(value, list):
        return {"tags_add": names(faults, value, at)}
    return _both(faults, value, at, "tags")


def _both(faults: Faults, value: Any, at: str, prefix: str) -> dict[str, Any]:
    node = faults.object(value, at, ("add", "remove")) or {}
    return {
        f"{prefix}_{part}": names(faults, node[part], join(at, part))
        for part in ("add", "remove")
        if part in node
    }


def consent(faults: Faults, value: Any, at: str) -> dict[str, Any]:
    """One {channel?, topic?, state} or a list of them."""
    many = value if isinstance(value, list) else [value]
    read = []
    for index, item in enumerate(many):
        where = join(at, index) if isinstance(value, list) else at
        node = faults.object(item, where, ("channel", "topic", "state"), ("state",))
        if node is None:
            continue
        if "state" in node:
            faults.choice(node["state"], join(where, "state"), STATES)
        pair = [name for name in ("channel", "topic") if node.get(name) is not None]
        for name in pair:
            identifier(faults, node[name], join(where, name))
        if not pair:
            faults.add(where, "missing_field", "needs 'channel', 'topic' or both")
        read.append(node)
    return {"consent": read}


def score(faults: Faults, value: Any, at: str) -> dict[str, Any]:
    """A number sets it; {"set": n}, {"increment": n} or {"reset": true}, each with a reason if wanted."""
    if kind(value) == "number":
        return {"score": {"set": value}}
    node = faults.object(value, at, ("set", "increment", "reset", "reason"))
    if node is None:
        return {}
    given = [name for name in ("set", "increment", "reset") if name in node]
    if len(given) != 1:
        faults.add(at, "conflict", "needs one of 'set', 'increment' and 'reset'")
        return {}
    if node.get("reason") is not None:
        faults.name(node["reason"], join(at, "reason"))
    name = given[0]
    if name == "reset":
        if node["reset"] is not True:
            faults.add(join(at, "reset"), "wrong_type", "must be true")
        number: Any = 0
        name = "set"
    else:
        number = node[name]
        if kind(number) != "number":
            faults.add(join(at, name), "wrong_type", f"must be a number, not {kind_name(number)}")
    reason = {"reason": node["reason"]} if node.get("reason") is not None else {}
    return {"score": {name: number, **reason}}
