"""How far segments may refer to each other, one after the other.

Example: A is "in B and …", B is "in C or …", C names no segment. From A these are three levels. A question
about A is worked out over all of them, so they are bounded as the depth of one definition is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from livesegments.core.circle import Dependents, Others
from livesegments.core.definition import Node
from livesegments.core.references import references

MAX_LEVELS = 100


def levels_of(
    node: Node, others: Others, segment_id: str | None, dependents: Dependents | None = None
) -> int:
    """Of the longest way that leads through the definition, from a segment that depends on it (by
    `dependents`, where they are given) to one that names no other. One that names none has one level.

    Segments that look at the transitions of all others are not followed: nothing can depend on them.
    """

    def named(name: str) -> Collection[str]:
        root = others.get(name)
        return () if root is None else references(root).ids

    below = _longest(references(node).ids, named)
    if not below or segment_id is None or dependents is None:
        return below + 1
    return below + 1 + _longest(dependents(segment_id), dependents)


def _longest(first: Collection[str], after: Callable[[str], Collection[str]]) -> int:
    """Of the ways from any of `first`, how many segments the longest one has."""
    lengths: dict[str, int] = {}
    entered: set[str] = set()
    pending = list(first)
    while pending:
        name = pending[-1]
        ahead = after(name)
        if name not in entered:
            entered.add(name)
            pending += [each for each in ahead if each not in entered]
        else:
            pending.pop()
            lengths.setdefault(name, 1 + max((lengths.get(each, 0) for each in ahead), default=0))
    return max((lengths[each] for each in first), default=0)
