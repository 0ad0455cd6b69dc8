"""The nodes of a definition, and the tests in them.

Example: `{"type": "not", "of": {"type": "tag", "name": "vip"}}` has two nodes: the `not` at the JSON pointer
"", and the tag at "/of".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

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
    Sequence,
)

Test: TypeAlias = Attribute | Filter


def walk(node: Node, at: str = "") -> Iterator[tuple[str, Node]]:
    """The node at the JSON pointer `at` and all below it, with their pointers; parents first."""
    yield at, node
    match node:
        case All() | AnyOf():
            for index, child in enumerate(node.of):
                yield from walk(child, f"{at}/of/{index}")
        case Not():
            yield from walk(node.of, f"{at}/of")


def comparisons(node: Node) -> Iterator[Test]:
    """All attribute conditions and filters of a definition."""
    match node:
        case Attribute():
            yield node
        case All() | AnyOf():
            for child in node.of:
                yield from comparisons(child)
        case Not():
            yield from comparisons(node.of)
        case Event():
            yield from tests(node.where)
        case Computed():
            yield from tests(node.where)
            if node.asked is not None:
                yield node.asked
        case Occurrence():
            yield from tests((*node.where, *node.has))
        case Sequence():
            for step in node.steps:
                yield from tests(step.where)


def tests(where: tuple[Filter, ...]) -> Iterator[Filter]:
    """The filters that compare: of those of items the filters within."""
    for item in where:
        if item.inner:
            yield from tests(item.inner)
        else:
            yield item
