"""Computed attributes: a measure with a name, read of every profile and asked about like an attribute.

Example: the workspace has `spent`, the sum of `total` over the events `order` of the last 90 days. The
condition `{"type": "attribute", "name": "computed:spent", "op": "gt", "value": 300}` is stored as the node
`Computed`, which has the measure, and the condition in `asked`: `asking` puts it there, `written` gives the
condition back. So a stored definition says all that it depends on, and another measure makes another
definition.

A `Computed` without `asked` is the attribute itself. In a plan it stands among the segments under the id
`computed:spent`, which no segment can have; it holds for nobody, and keeps the fact for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from livesegments.core.definition import All, AnyOf, Attribute, Computed, Measure, Node, Not
from livesegments.core.words import COMPUTED_OPS, MEASURES, VALUES, Given

PREFIX = "computed:"


def gives(measure: Measure) -> Given:
    """What a measure comes to."""
    return (MEASURES.get(measure.of) or VALUES[measure.of]).gives


def ops(measure: Measure) -> frozenset[str]:
    """The ops that such a computed attribute can be asked with."""
    return COMPUTED_OPS[gives(measure)]


def id_of(name: str) -> str | None:
    """The id of the computed attribute that an attribute's name stands for, if it does."""
    return name.removeprefix(PREFIX) if name.startswith(PREFIX) else None


def asking(node: Node, known: Mapping[str, Computed]) -> Node:
    """The definition with the measures of the computed attributes that it names, as it is stored."""

    def asked(condition: Attribute) -> Node:
        found = known.get(id_of(condition.name) or "")
        return condition if found is None else msgspec.structs.replace(found, asked=condition)

    return _changed(node, asked)


def written(node: Node) -> Node:
    """A stored definition with conditions on computed attributes as their author wrote them."""
    return _changed(node, lambda condition: condition)


def named(node: Node) -> set[str]:
    """The ids of the computed attributes that a stored definition names."""
    found: set[str] = set()

    def note(condition: Attribute) -> Node:
        id_ = id_of(condition.name)
        if id_ is not None:
            found.add(id_)
        return condition

    _changed(node, note)
    return found


def _changed(node: Node, change: Callable[[Attribute], Node]) -> Node:
    """Lets `change` see every condition on an attribute; the very same node where nothing changes."""
    match node:
        case Attribute():
            return change(node)
        case Computed() if node.asked is not None:
            return change(node.asked)
        case All() | AnyOf():
            of = tuple(_changed(child, change) for child in node.of)
            same = all(new is old for new, old in zip(of, node.of, strict=True))
            return node if same else msgspec.structs.replace(node, of=of)
        case Not():
            child = _changed(node.of, change)
            return node if child is node.of else Not(child)
    return node
