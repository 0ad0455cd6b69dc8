"""What those have in common that read profiles' history for a claim and change their states by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from livesegments.evaluator.commits.errands import Errands
from livesegments.evaluator.commits.loading import Loader
from livesegments.evaluator.commits.partition import Partition
from livesegments.evaluator.history.archiver import Archiver
from livesegments.evaluator.plans.walks import Walks
from livesegments.evaluator.ports import Ports


class Parts(NamedTuple):
    """Of one claim. `following` is had by one at a time who follows profiles; `wall_ms` is the wall clock
    where it counts; `moved` is called when there is something to do; `waits`: whether a record waits for the
    partition."""

    ports: Ports
    partition: Partition
    loader: Loader
    walks: Walks
    archiver: Archiver
    errands: Errands
    following: asyncio.Lock
    wall_ms: Callable[[], int | None]
    moved: Callable[[], None]
    waits: Callable[[], bool]


class OfClaim:
    """Works on the parts of a claim: reads history in a task of its own, and gives it between two records."""

    def __init__(self, parts: Parts) -> None:
        self._history = parts.ports.history
        self._partition = parts.partition
        self._loader = parts.loader
        self._walks = parts.walks
        self._archiver = parts.archiver
        self._errands = parts.errands
        self._wall_ms = parts.wall_ms
        self._moved = parts.moved

    def _pass(self) -> None:
        """Moves the partition's clock to now, where it is the wall clock."""
        now_ms = self._wall_ms()
        if now_ms is not None:
            self._partition.pass_to(now_ms)
