"""The segment of a rule: who has a value of an attribute that has no segment of its own yet. Pure.

Example: the rule of `city` knows Kyiv and Lviv. Then its segment is: city is a text and neither Kyiv nor
Lviv, or any number, or true or false. Whoever comes to Odesa enters it at once, so nobody has to look for
new values: they are the values of its members. Lists and locations are no values here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from livesegments.core.check import MAX_BYTES
from livesegments.core.check_value import MAX_TEXT, MAX_VALUES
from livesegments.core.definition import All, AnyOf, Attribute, Node, Scalar
from livesegments.core.value import kind

BOTH = (False, True)
ROOM = 8 * MAX_TEXT
"""Bytes that one more value takes at most, with what stands around it."""


def rest(attribute: str, known: Iterable[Scalar]) -> Node:
    """Who has a text, a number, true or false as the attribute that isn't known."""
    sorts: dict[str, list[Scalar]] = {"string": [], "number": [], "boolean": []}
    for value in known:
        sorts[kind(value)].append(value)
    parts: list[Node] = [
        _none_of(attribute, sorts["string"]) if sorts["string"] else Attribute(attribute, "contains", "")
    ]
    if sorts["number"]:
        parts.append(_none_of(attribute, sorts["number"]))
    else:
        parts += [Attribute(attribute, "lt", 0), Attribute(attribute, "gte", 0)]
    flags = [each for each in BOTH if each not in sorts["boolean"]]
    if flags:
        parts.append(Attribute(attribute, "in", flags))
    return AnyOf(tuple(parts))


def known(node: Node | None) -> list[Scalar]:
    """The values that the rule of this definition knows, as `rest` made it."""
    leaves = list(_leaves(node))
    values = [value for leaf in leaves if leaf.op == "not_in" for value in leaf.value]
    unknown = [value for leaf in leaves if leaf.op == "in" for value in leaf.value]
    return [*values, *(each for each in BOTH if each not in unknown)]


def has_room(node: Node | None, values: Iterable[Scalar] = ()) -> bool:
    """Whether the definition has room for these values and one more, whichever that is."""
    return len(msgspec.json.encode((node, list(values)))) <= MAX_BYTES - ROOM


def named(value: object) -> bool:
    """Whether a condition can name the value."""
    return kind(value) in ("string", "number", "boolean") and not (
        isinstance(value, str) and len(value) > MAX_TEXT
    )


def _none_of(attribute: str, values: list[Scalar]) -> Node:
    parts = [
        Attribute(attribute, "not_in", values[start : start + MAX_VALUES], when_missing=False)
        for start in range(0, len(values), MAX_VALUES)
    ]
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _leaves(node: Node | None) -> Iterator[Attribute]:
    match node:
        case Attribute():
            yield node
        case All() | AnyOf():
            for each in node.of:
                yield from _leaves(each)
