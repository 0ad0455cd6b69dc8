"""Segments that depend on each other in a circle, which no definition may close.

Example: A is "in B and …", and B becomes "in A or …". The way from B is A, and from A back to B.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from livesegments.core.definition import Node
from livesegments.core.references import references

Others: TypeAlias = Mapping[str, Node | None]
Dependents: TypeAlias = Callable[[str], Collection[str]]
"""A segment → those that depend on it: that name it, or look at all others."""


def circle_of(
    node: Node, others: Others, segment_id: str | None, dependents: Dependents | None = None
) -> list[str] | None:
    """A way from the definition through other segments back to its own segment, if there is one.

    Nobody names a segment that has no id yet (`""` in the way), but those that depend on all others
    depend on it, too.
    """
    segment_id = segment_id or ""
    if dependents is not None and not _closes(node, segment_id, dependents):
        return None

    def next_of(root: Node | None, own: str) -> list[str]:
        if root is None:
            return []
        found = references(root)
        if found.all_others:
            return sorted({*others, segment_id} - {own})
        return sorted(found.ids)

    trail = {name: [segment_id, name] for name in next_of(node, segment_id)}
    pending = list(trail)
    while pending:
        name = pending.pop()
        if name == segment_id:
            return trail[name]
        for after in next_of(others.get(name), name):
            if after not in trail:
                trail[after] = [*trail[name], after]
                pending.append(after)
    return None


def _closes(node: Node, segment_id: str, dependents: Dependents) -> bool:
    """Whether the definition needs its own segment, or one that depends on it already."""
    needs, depending, ahead = references(node), {segment_id}, [segment_id]
    while ahead:
        for other in dependents(ahead.pop()):
            if other not in depending:
                depending.add(other)
                ahead.append(other)
    return not needs.ids.isdisjoint(depending) or (needs.all_others and len(depending) > 1)
