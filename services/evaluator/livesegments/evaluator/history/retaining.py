"""How long a workspace's events are kept: once a day older ones are dropped from the archive.

Example: the workspace `shop` keeps 365 days. Soon after midnight (UTC) its owner's archiver writes the files
that hold older events anew without them, a few at a time. Running segments are not touched: what they counted
lies in the states of profiles.

A segment of which a part of the history was gone when it was made is whole once its windows have moved past
that. It is looked for such segments every hour, and then their `complete_since` goes.

The clock is that of the partition: the wall's, or that of the log.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from livesegments.evaluator.commits.errands import Errands
from livesegments.evaluator.commits.partition import NEVER_MS, Partition
from livesegments.evaluator.history.archiver import Archiver
from livesegments.evaluator.plans.walks import Walks
from livesegments.evaluator.ports import Options, Plans
from livesegments.history.workshop import FilesAway
from livesegments.runtime import metrics

LOOK_S = 10.0
"""How often it is looked whether another day has begun, or another time is set."""
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


class Retaining:
    """`run` in a task of its own."""

    def __init__(self, plans: Plans, options: Options, partition: Partition) -> None:
        self._plans = plans
        self._options = options
        self._partition = partition
        self._logger = structlog.get_logger(__name__).bind(partition=partition.number)

    def keeps(self) -> dict[str, int]:
        """Workspace → the first instant (ms, a midnight UTC) of which events are kept; not those that keep
        all."""
        now_ms = self._now_ms()
        if now_ms == NEVER_MS:
            return {}
        days = {
            workspace: self._options.history_days if own is None else own
            for workspace, own in self._plans.history_days.items()
        }
        return {workspace: (now_ms // DAY_MS - each) * DAY_MS for workspace, each in days.items() if each}

    def _now_ms(self) -> int:
        return self._partition.clock_ms if self._options.now_ms is None else self._options.now_ms()

    async def run(self, archiver: Archiver, walks: Walks, errands: Errands) -> None:
        """Never returns, but raises what the shard raises."""
        done: dict[str, int] = {}
        hour = NEVER_MS
        while True:
            now_ms = self._now_ms()
            if now_ms // HOUR_MS > hour and walks.short:
                hour = now_ms // HOUR_MS
                await errands.post(partial(walks.complete, now_ms))
            before = {name: at for name, at in self.keeps().items() if at > done.get(name, at - 1)}
            try:
                if before:
                    await archiver.retain(before)
                    done |= before
                await archiver.clear()
            except FilesAway as error:
                metrics.ARCHIVE_FAILURES.inc()
                self._logger.warning("events that are too old can't be dropped", error=str(error))
            await asyncio.sleep(LOOK_S)
