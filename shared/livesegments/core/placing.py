"""The order of a plan's segments, each after those that it depends on, kept as it was wherever possible.

Example: of ten thousand segments one is new: it goes to the end. One is edited and now refers to a segment
that stands behind it: it moves to the end, and with it all that refer to it. All others keep their positions.
A position that was left is never used again; a plan is put in order anew before half of them are empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

from livesegments.core.compiled import Compiled

SPARE = 64
"""Even the smallest plan may have this many empty positions."""


class Named:
    """References: `by` segment id → those whose definitions name it; `watchers` depend on all others."""

    def __init__(self, before: Named | None = None) -> None:
        self.by: dict[str, frozenset[str]] = dict(before.by) if before else {}
        self.watchers: frozenset[str] = before.watchers if before else frozenset()

    def replace(self, id_: str, old: Compiled | None, new: Compiled | None) -> None:
        before = old.needs.ids if old else frozenset()
        after = new.needs.ids if new else frozenset()
        for other in before - after:
            left = self.by[other] - {id_}
            if left:
                self.by[other] = left
            else:
                del self.by[other]
        for other in after - before:
            self.by[other] = self.by.get(other, frozenset()) | {id_}
        if new is not None and new.needs.all_others:
            self.watchers |= {id_}
        elif id_ in self.watchers:
            self.watchers -= {id_}


def moving(
    changed: Iterable[str], segments: Mapping[str, Compiled], positions: Mapping[str, int], named: Named
) -> list[str]:
    """The segments that need a position at the end, in the order in which they go there.

    `changed` are those that are new or edited, `positions` the old ones. Raises graphlib.CycleError.
    """
    changed = list(changed)
    moved = {id_ for id_ in changed if id_ not in positions}
    for id_ in changed:
        if id_ not in moved:
            needs, own = segments[id_].needs, positions[id_]
            if needs.all_others or any(positions.get(other, -1) > own for other in needs.ids):
                moved.add(id_)
    _spread(moved, list(moved), named)
    if moved:
        watchers = [id_ for id_ in named.watchers if id_ not in moved]
        moved |= set(watchers)
        _spread(moved, watchers, named)
    return in_order({id_: segments[id_] for id_ in segments if id_ in moved} if moved else {})


def in_order(segments: Mapping[str, Compiled]) -> list[str]:
    """Each after those of them that it depends on. Raises graphlib.CycleError."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for id_, item in segments.items():
        ids = segments.keys() if item.needs.all_others else item.needs.ids
        sorter.add(id_, *sorted(other for other in ids if other in segments and other != id_))
    return list(sorter.static_order())


def crowded(places: int, segments: int) -> bool:
    """Whether too many of the places are empty."""
    return places > 2 * segments + SPARE


def _spread(moved: set[str], ahead: list[str], named: Named) -> None:
    """Adds all that refer to those that move, directly or through others."""
    while ahead:
        for other in named.by.get(ahead.pop(), ()):
            if other not in moved:
                moved.add(other)
                ahead.append(other)
