"""What was described of a workspace's plan piece by piece: the next plan takes over what is the same.

Example: one segment of a thousand is edited. The pieces of the 999 others, and of their facts, are taken as
they are written, and what they ask the core keeps its number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from msgspec import Raw

from livesegments.core.compiled import Compiled

Name: TypeAlias = tuple[object, ...]
SPARE = 64


class Piece(NamedTuple):
    """A segment's; `positions` are those of the segments that it refers to."""

    item: Compiled
    positions: Mapping[str, int]
    data: Raw


class Pieces:
    """`facts`: fact id → how changes of it are concerned, and its piece. `segments`: by their ids.

    `asked`: the functions of the core that pieces name by their numbers, in the order of these.
    """

    def __init__(self) -> None:
        self.facts: dict[int, tuple[type, Raw]] = {}
        self.segments: dict[str, Piece] = {}
        self.asked: dict[Name, Callable[..., Any]] = {}
        self._numbers: dict[Name, int] = {}
        self._needed = 0

    def number(self, name: Name, function: Callable[[], Callable[..., Any]]) -> int:
        """`name` is the same for equal functions."""
        if name not in self._numbers:
            self._numbers[name] = len(self.asked)
            self.asked[name] = function()
        return self._numbers[name]

    def renew(self) -> None:
        """Before a plan is described: begins anew where most of what is asked may be of former plans."""
        if len(self.asked) > 2 * self._needed + SPARE:
            self.facts, self.segments, self.asked, self._numbers = {}, {}, {}, {}

    def keep(self, facts: dict[int, tuple[type, Raw]], segments: dict[str, Piece]) -> None:
        """Those of the plan that was described now."""
        if not self.facts and not self.segments:
            self._needed = len(self.asked)
        self.facts, self.segments = facts, segments
