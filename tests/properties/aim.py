"""Events and changes aimed at a condition: of those drawn freely, too few would ever concern it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.properties.definitions import (
    ATTRIBUTES,
    DATES,
    LISTS,
    PAIRS,
    STATES,
    STATIC,
    TAGS,
    Draw,
    Json,
    scalars,
)

PROFILE = "$profile"
NEARBY = {"gt": (0, 1), "gte": (0, -1), "lt": (0, -1), "lte": (0, 1), "between": (0, 0, 1)}
"""Numbers that are added to a bound, to lie on it and just beside it."""
SAMPLES = ("a", "B", "ab", "1", "ß", "")


def leaves(definition: Json) -> Iterator[Json]:
    """The leaves of a definition, as its author wrote them."""
    below = definition.get("of")
    if below is None:
        yield definition
    for child in below if isinstance(below, list) else [below] if below else ():
        yield from leaves(child)


@st.composite
def aimed(draw: Draw, leaf: Json) -> tuple[str, Json]:
    """A name and properties that likely matter to a leaf: often what it asks for, sometimes just not."""
    match leaf["type"]:
        case "event" | "occurrence":
            return draw(_happening(leaf))
        case "sequence":
            name, properties = draw(_happening(draw(st.sampled_from(leaf["steps"]))))
            if "same" in leaf and name != PROFILE and draw(st.integers(0, 7)):
                few = st.sampled_from((1, 1.0, "a"))
                _put(properties, leaf["same"], draw(few | few | st.lists(few, max_size=2)))
            return name, properties
        case "tag":
            name = leaf.get("name") or draw(st.sampled_from(TAGS))
            return PROFILE, _tag(name, draw(st.booleans()))
        case "bucket":
            return "a", {}
        case "consent":
            pair = {name: leaf[name] for name in ("channel", "topic") if name in leaf}
            state = draw(st.sampled_from((leaf["state"], *STATES)))
            return PROFILE, {"consent": [{**draw(st.sampled_from((pair, *PAIRS))), "state": state}]}
        case "near":
            lat = draw(st.sampled_from((48, 48.5, 50, -48)))
            return PROFILE, {"attributes": {leaf["attribute"]: {"lat": lat, "lon": leaf["lon"]}}}
        case "segment":
            static = leaf["id"] if leaf["id"] in STATIC else draw(st.sampled_from(STATIC))
            return PROFILE, draw(listing(static))
        case "computed":
            return draw(_computed(leaf))
    return PROFILE, draw(_change(leaf["name"], values(leaf) | st.none()))


@st.composite
def listing(draw: Draw, static: str) -> Json:
    """Puts a profile onto the list of a static segment, or takes it off; some of these name the version."""
    change: Json = {draw(st.sampled_from(("lists_add", "lists_add", "lists_remove"))): [static]}
    version = draw(st.sampled_from((0, 0, 1, 2, 3)))
    return {**change, "lists_versions": {static: version}} if version else change


@st.composite
def _happening(draw: Draw, step: Json) -> tuple[str, Json]:
    name, where = step.get("name") or draw(st.sampled_from(step["names"])), step.get("where", [])
    match name:
        case "$attribute_changed":
            asked = next((item["value"] for item in where if item["property"] == "name"), None)
            wanted = [values(item) for item in where if item["property"] == "to"] or [scalars]
            return PROFILE, draw(_change(asked or draw(st.sampled_from(ATTRIBUTES)), wanted[0]))
        case "$tag_added" | "$tag_removed":
            return PROFILE, _tag(where[0]["value"] if where else TAGS[0], draw(st.booleans()))
        case "$consent_changed":
            pair, state = draw(st.sampled_from(PAIRS)), draw(st.sampled_from(STATES))
            return PROFILE, {"consent": [{**pair, "state": state}]}
        case "$segment_entered" | "$segment_exited":
            return draw(st.sampled_from(("a", "b"))), {}
    properties: Json = {}
    measured = step.get("measure", {}).get("property")
    if measured is not None:
        _put(properties, measured, draw(scalars | st.sampled_from((0, 1, 0.1, 0.2, 2, 3))))
    for item in [*where, *step.get("has", [])]:
        if "op" not in item:
            draw(_items(properties, item))
        elif draw(st.integers(0, 7)):
            value = draw(values(item))
            if not isinstance(value, list) and draw(st.integers(0, 3)) == 0:
                value = [value, draw(scalars)]
            _put(properties, item["property"], value)
    return name, properties


@st.composite
def _items(draw: Draw, properties: Json, test: Json) -> None:
    """Puts a list with an item that likely matters, or its parts in two items, where a test looks for it."""
    inner: list[Json] = test.get("item") or test["no_item"]
    fits: Json = {}
    for item in inner:
        if "op" not in item:
            draw(_items(fits, item))
        else:
            fits[item["property"]] = draw(values(item))
    apart: list[Any] = [{name: value} for name, value in fits.items()]
    found = draw(st.sampled_from(([fits], [fits], [{"x": 1}, [fits]], apart, [*apart, fits], fits)))
    _put(properties, test["property"], found)


@st.composite
def _computed(draw: Draw, leaf: Json) -> tuple[str, Json]:
    """Often with a value that the condition asks for."""
    name, properties = draw(_happening(leaf))
    measured = leaf["measure"].get("property")
    if name != PROFILE and measured is not None and draw(st.integers(0, 3)):
        value = draw(values(leaf["asked"]))
        _put(properties, measured, [value, draw(scalars)] if draw(st.integers(0, 3)) == 0 else value)
    return name, properties


def values(test: Json) -> st.SearchStrategy[Any]:
    """Values near what a test compares with."""
    operand: Any = LISTS[test["value_list"]] if "value_list" in test else test.get("value")
    op = test["op"]
    match op:
        case "has_any" | "has_all" | "has_none":
            return st.lists(st.sampled_from(operand) | scalars, max_size=3) | st.just(operand)
        case "in" | "not_in":
            return st.sampled_from(operand) | st.sampled_from(operand) | scalars
        case "matches":
            return st.sampled_from(SAMPLES)
        case "contains" | "not_contains" | "starts_with" | "ends_with":
            return st.sampled_from((operand, f"{operand}b", f"A{operand}", *SAMPLES))
        case (
            "before"
            | "after"
            | (
                "in_last"
                | "in_next"
                | "older_than"
                | "younger_than"
                | "in_period"
                | "anniversary"
                | "anniversary_in_month"
                | "anniversary_in_next"
            )
        ):
            return st.sampled_from(DATES)
        case "exists" | "missing":
            return scalars | st.none()
    bound = operand[0] if op == "between" else operand
    if op in NEARBY and not isinstance(bound, str):
        return st.sampled_from([bound + more for more in NEARBY[op]] * 2 + ["a"])
    return st.just(bound) | st.just(operand[1] if op == "between" else bound) | scalars


@st.composite
def _change(draw: Draw, name: str, value: st.SearchStrategy[Any]) -> Json:
    if name == "score":
        return {
            "score": {
                draw(st.sampled_from(("set", "increment"))): draw(
                    st.sampled_from((0, 1, 0.1, 2, -1, 1.7e308, -1.7e308))
                )
            }
        }
    if name == "groups":
        return {"groups": [draw(st.sampled_from(("a", "A", "b", "1")))]}
    return {"attributes": {name: draw(value)}}


def _tag(name: str, added: bool) -> Json:
    return {"tags_add" if added else "tags_remove": [name]}


def _put(properties: Json, path: str, value: Any) -> None:
    """Puts a value where a path finds it; paths of `l` and `m` lead through lists."""
    match path.split("."):
        case [name]:
            properties[name] = value
        case ["o", name]:
            properties["o"] = {name: value}
        case ["m", "n"]:
            properties["m"] = [{"n": value}]
        case ["l", name]:
            properties["l"] = [{name: value}, {"other": 1}]
        case names:
            properties[names[0]] = [{names[1]: [{names[2]: value}]}]
