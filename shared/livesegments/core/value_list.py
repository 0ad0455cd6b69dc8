"""Conditions that name a value list: `{"property": "sku", "op": "in", "value_list": "winter"}`.

A definition is stored with the digest of the list's content in the place of its value. So a list with other
content makes another definition, and an edit of a list is an edit of all that name it. `resolved` puts the
content itself there before a definition is compiled: facts know only the content, so lists that are equal
share them. Contents are shared by all conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, TypeAlias

import msgspec

from livesegments.core.computed import written
from livesegments.core.definition import (
    All,
    AnyOf,
    Attribute,
    Computed,
    Event,
    Filter,
    Node,
    Not,
    Occurrence,
    Scalar,
    Sequence,
)
from livesegments.core.exact import plain
from livesegments.core.tree import Test, comparisons
from livesegments.core.value import Values, key

Contents: TypeAlias = Callable[[str, str], Values]
"""(id of a list, digest) → its content. Raises KeyError where it is not known."""

MAX_LISTED = 1_000_000
MAX_LISTED_BYTES = 32 * 1024 * 1024
"""Of the values as JSON."""


def no_contents(id_: str, digest: str) -> Values:
    """Where no list is known."""
    raise KeyError(digest)


def content(values: list[Scalar]) -> tuple[str, list[Scalar]]:
    """The digest of a list, and its different values in the order that depends on them alone."""
    different = {key(value): _written(value) for value in values}
    ordered = sorted(different.values())
    digest = sha256(b",".join(ordered)).hexdigest()[:32]
    return digest, [msgspec.json.decode(each) for each in ordered]


def _written(value: Scalar) -> bytes:
    value = plain(value)
    whole = type(value) is float and value.is_integer() and abs(value) < 1 << 63
    return msgspec.json.encode(int(value) if whole else value)


def named(node: Node) -> dict[str, str | None]:
    """The lists that a definition names: id → digest, None where it has none yet."""
    return {test.value_list: test.value for test in comparisons(node) if test.value_list is not None}


def referring(node: Node, digests: Mapping[str, str]) -> Node:
    """The definition with the digests of its lists, as it is stored."""
    return _changed(node, lambda test: msgspec.structs.replace(test, value=digests[test.value_list or ""]))


def resolved(node: Node, contents: Contents) -> Node:
    """A stored definition with the contents of its lists, to be compiled. Raises KeyError."""
    return _changed(
        node, lambda test: msgspec.structs.replace(test, value=contents(test.value_list or "", test.value))
    )


def spelled(node: Node, contents: Contents) -> Node:
    """A stored definition as if its author had written the lists' values into it. Raises KeyError."""
    return _changed(
        node,
        lambda test: msgspec.structs.replace(
            test, value=list(contents(test.value_list or "", test.value).items), value_list=None
        ),
    )


def shown(node: Node | None) -> Any:
    """The JSON of a definition in any of these forms, as its author wrote it."""
    if node is None:
        return None
    found = _changed(written(node), lambda test: msgspec.structs.replace(test, value=None))
    return msgspec.json.decode(msgspec.json.encode(found))  # no tuples: it may be checked again


def encoded(node: Node) -> bytes:
    """A resolved condition in bytes that are equal where it is."""
    return msgspec.json.encode(node, enc_hook=_digest)


def _digest(value: Any) -> str:
    assert isinstance(value, Values)
    return value.digest


def _changed(node: Node, change: Callable[[Test], Test]) -> Node:
    """The very same node where it names no list."""
    if all(test.value_list is None for test in comparisons(node)):
        return node

    def where(filters: tuple[Filter, ...]) -> tuple[Filter, ...]:
        return tuple(_filter(item, change) for item in filters)

    replace = msgspec.structs.replace
    match node:
        case Attribute():
            return change(node)  # type: ignore[return-value]
        case All() | AnyOf():
            return replace(node, of=tuple(_changed(child, change) for child in node.of))
        case Not():
            return replace(node, of=_changed(node.of, change))
        case Event():
            return replace(node, where=where(node.where))
        case Computed():
            asked = node.asked
            if asked is not None and asked.value_list is not None:
                asked = change(asked)  # type: ignore[assignment]
            return replace(node, where=where(node.where), asked=asked)
        case Occurrence():
            return replace(node, where=where(node.where), has=where(node.has))
        case Sequence():
            steps = tuple(replace(step, where=where(step.where)) for step in node.steps)
            return replace(node, steps=steps)
    raise AssertionError(f"{type(node).__name__} names no list")


def _filter(item: Filter, change: Callable[[Test], Test]) -> Filter:
    if item.inner:
        of = [tuple(_filter(each, change) for each in inner) for inner in (item.item, item.no_item)]
        return msgspec.structs.replace(item, item=of[0], no_item=of[1])
    found = change(item) if item.value_list is not None else item
    assert isinstance(found, Filter)
    return found
