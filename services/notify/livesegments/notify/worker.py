"""The partitions that this worker has, each with a courier for every subscription that has a webhook."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

import structlog
from msgspec import Struct

from livesegments.notify.catalog import Name
from livesegments.notify.courier import Courier, Fenced, Ports
from livesegments.runtime import metrics, tasks
from livesegments.runtime.retry import until_done
from livesegments.store.client import Away
from livesegments.wire.subscription import Subscription

AGAIN_S = 1.0

_log = structlog.get_logger(__name__)


class Hold(Struct):
    """A partition under a token of its own. `committed`: the group's offset in Kafka, where there is one."""

    partition: int
    token: str
    recreated: bool
    committed: int
    couriers: dict[Name, tuple[Courier, asyncio.Task[None]]]


class Worker:
    """`topic`: the topic's id. `crash` is called with a fault of ours."""

    def __init__(
        self,
        ports: Ports,
        subscriptions: Mapping[Name, Subscription],
        new_token: Callable[[], str],
        topic: str,
        crash: Callable[[BaseException], None],
    ) -> None:
        self._ports, self._subscriptions, self._new_token = ports, subscriptions, new_token
        self._topic, self._crash = topic, crash
        self._holds: dict[int, Hold] = {}
        self._changing = asyncio.Lock()
        self._again: set[asyncio.Task[None]] = set()

    @property
    def partitions(self) -> frozenset[int]:
        return frozenset(self._holds)

    @property
    def tokens(self) -> dict[int, str]:
        """The partitions, and under which token this worker has each."""
        return {partition: hold.token for partition, hold in self._holds.items()}

    @property
    def waiting(self) -> int:
        return sum(courier.waiting for hold in self._holds.values() for courier, _ in hold.couriers.values())

    def safe(self, partition: int) -> int | None:
        """Everything before this offset is done with; None: nobody subscribes."""
        hold = self._holds.get(partition)
        return min((courier.safe for courier, _ in hold.couriers.values()), default=None) if hold else None

    async def assign(self, partition: int, committed: int) -> None:
        """Claims the partition, and sets its couriers to work."""
        async with self._changing:
            await self._assign(partition, committed)

    async def revoke(self, partition: int) -> None:
        """Returns once nothing more is sent for it from here."""
        async with self._changing:
            await self._revoke(partition)

    def changed(self, name: Name) -> None:
        """A subscription was made, edited or deleted."""
        for hold in self._holds.values():
            rule, present = self._subscriptions.get(name), hold.couriers.get(name)
            if rule is None or rule.webhook is None:
                if present is not None:
                    del hold.couriers[name]
                    self._beside(self._forget(hold, name, present[1]))
            elif present is None:
                self._begin(hold, rule)
            else:
                present[0].adopt(rule)

    def wake(self, partition: int) -> None:
        hold = self._holds.get(partition)
        for courier, _ in hold.couriers.values() if hold else ():
            courier.wake()

    def wake_all(self) -> None:
        for partition in self._holds:
            self.wake(partition)

    async def close(self) -> None:
        for partition in list(self._holds):
            await self.revoke(partition)
        await tasks.cancelled(self._again)

    async def _assign(self, partition: int, committed: int) -> None:
        token = self._new_token()
        claim = partial(self._ports.store.claim, partition, token, self._topic)
        claimed = await until_done(claim, Away)
        hold = Hold(partition, token, claimed.recreated, committed, {})
        self._holds[partition] = hold
        metrics.NOTIFY_PARTITIONS.set(len(self._holds))
        sent = {name: rule for name, rule in self._subscriptions.items() if rule.webhook is not None}
        for name in claimed.lanes - sent.keys():
            await until_done(partial(self._ports.store.forget, partition, *name, token), Away)
        for rule in sent.values():
            self._begin(hold, rule)

    async def _revoke(self, partition: int) -> None:
        hold = self._holds.pop(partition, None)
        metrics.NOTIFY_PARTITIONS.set(len(self._holds))
        if hold is not None:
            couriers = list(hold.couriers.values())
            await tasks.cancelled([task for _, task in couriers])
            await asyncio.gather(*(courier.finish() for courier, _ in couriers))

    def _begin(self, hold: Hold, rule: Subscription) -> None:
        at = rule.begin[hold.partition] if hold.partition < len(rule.begin) else 0
        begin = 0 if hold.recreated else max(at, hold.committed)
        courier = Courier(self._ports, hold.partition, hold.token, rule, begin, hold.recreated)
        task = asyncio.create_task(courier.run())
        hold.couriers[rule.workspace, rule.id] = courier, task
        task.add_done_callback(partial(self._ended, hold))

    def _ended(self, hold: Hold, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Fenced):
            if self._holds.get(hold.partition) is hold:
                _log.warning("a partition is claimed anew", partition=hold.partition)
                self._beside(self._reclaim(hold))
        elif error is not None:
            self._crash(error)

    async def _reclaim(self, hold: Hold) -> None:
        """The store was lost, or another worker has it: then the group says so soon."""
        await asyncio.sleep(AGAIN_S)
        async with self._changing:
            if self._holds.get(hold.partition) is hold:
                await self._revoke(hold.partition)
                await self._assign(hold.partition, hold.committed)

    async def _forget(self, hold: Hold, name: Name, task: asyncio.Task[None]) -> None:
        await tasks.cancelled([task])
        await until_done(partial(self._ports.store.forget, hold.partition, *name, hold.token), Away)

    def _beside(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._again.add(task)
        task.add_done_callback(self._again.discard)
