"""Which subscriptions their receivers have ended, by the answer 410: known to all workers within moments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import msgspec
import structlog

from livesegments.runtime import metrics
from livesegments.runtime.retry import until_done
from livesegments.store.client import Away
from livesegments.store.lanes import Lanes
from livesegments.wire.attempt import Disabled
from livesegments.wire.subscription import Subscription

LOOK_S = 2.0

_log = structlog.get_logger(__name__)


class Disabling:
    """`ended` is true of a subscription until its author enables it again."""

    def __init__(self, store: Lanes, now_ms: Callable[[], int]) -> None:
        self._store, self._now_ms = store, now_ms
        self._disabled: dict[tuple[str, str], int] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Never returns: reads what other workers have noted."""
        while True:
            found = await until_done(self._store.disabled, Away)
            for name, data in found.items():
                enabling = msgspec.json.decode(data, type=Disabled).enabling
                self._disabled[name] = max(enabling, self._disabled.get(name, 0))
            await asyncio.sleep(LOOK_S)

    def is_disabled(self, rule: Subscription) -> bool:
        return self._disabled.get((rule.workspace, rule.id)) == rule.enabling

    def gone(self, rule: Subscription) -> None:
        if self.is_disabled(rule):
            return
        self._disabled[rule.workspace, rule.id] = rule.enabling
        metrics.NOTIFY_DISABLED.inc()
        _log.warning("a receiver is gone: its subscription is disabled", subscription=rule.id)
        data = msgspec.json.encode(Disabled(rule.enabling, self._now_ms()))
        write = partial(self._store.disable, rule.workspace, rule.id, data)
        task = asyncio.ensure_future(until_done(write, Away))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
