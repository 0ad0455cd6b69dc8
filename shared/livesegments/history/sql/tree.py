"""The nodes of a definition, and the large lists of values that it compares with.

Example: `{"type": "not", "of": {"type": "tag", "name": "vip"}}` has two nodes: the `not` at the pointer "",
and the tag at "/of".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
from livesegments.history.sql import large, value


def walk(node: Node, at: str = "") -> Iterator[tuple[str, Node]]:
    """A node and all below it, parents first."""
    yield at, node
    match node:
        case All() | AnyOf():
            for index, child in enumerate(node.of):
                yield from walk(child, f"{at}/of/{index}")
        case Not():
            yield from walk(node.of, f"{at}/of")


def variables(roots: Iterable[Node]) -> Iterator[str]:
    """The statements that give a connection the large lists of values that definitions compare with."""
    tests = (test for root in roots for test in _comparisons(root))
    many = ((test.value, test.ignore_case) for test in tests if isinstance(test.value, list))
    return large.variables((values, folded) for values, folded in many if len(values) > value.FEW)


def _comparisons(root: Node) -> Iterator[Attribute | Filter]:
    for _, node in walk(root):
        match node:
            case Attribute():
                yield node
            case Event():
                yield from _within(node.where)
            case Computed():
                yield from _within(node.where)
                if node.asked is not None:
                    yield node.asked
            case Occurrence():
                yield from _within((*node.where, *node.has))
            case Sequence():
                for step in node.steps:
                    yield from _within(step.where)


def _within(where: tuple[Filter, ...]) -> Iterator[Filter]:
    """With those of items."""
    for test in where:
        yield test
        yield from _within(test.inner)
