"""Events of many profiles as columns: of a million profiles, making an object of every event costs more than
what a fact does with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from livesegments.core.event import Event


class Rows(NamedTuple):
    """Events of one fact. Those of `owners[i]` are at [bounds[i], bounds[i + 1]), sorted by (time, id)."""

    workspace: str
    owners: Sequence[int]
    bounds: Sequence[int]
    times: Sequence[int]
    ids: Sequence[str]
    names: Sequence[str]
    properties: Sequence[dict[str, Any]]

    def stretches(self) -> Iterator[tuple[int, int, int]]:
        """(owner, first, end)."""
        for owner, (first, end) in zip(self.owners, pairwise(self.bounds), strict=True):
            yield owner, first, end

    def events(self, first: int, end: int) -> list[Event]:
        """As kinds take them, which don't ask whose they are."""
        return [
            Event(self.ids[at], self.workspace, "", self.names[at], self.times[at], self.properties[at])
            for at in range(first, end)
        ]

    def only(self, kept: Sequence[bool]) -> Rows:
        """Those rows that are `kept`."""
        owners, bounds, places = list[int](), [0], list[int]()
        for owner, first, end in self.stretches():
            before = len(places)
            places += [at for at in range(first, end) if kept[at]]
            if len(places) > before:
                owners.append(owner)
                bounds.append(len(places))
        return Rows(
            self.workspace,
            owners,
            bounds,
            [self.times[at] for at in places],
            [self.ids[at] for at in places],
            [self.names[at] for at in places],
            [self.properties[at] for at in places],
        )
