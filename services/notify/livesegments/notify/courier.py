"""One lane at work: reads, sends, notes what became of it, saves. It waits for its own receiver alone.

Everything is delivered first and saved then, so a crash repeats deliveries, under the same ids, and loses
none. Attempts run beside the loop; between them and the loop stands the pure `lane`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

import msgspec
import structlog

from livesegments.core.event import Transition
from livesegments.notify import stays
from livesegments.notify.lane import Changes, Lane, Read, Saved
from livesegments.notify.posting import GONE, Outcome
from livesegments.notify.queue import Message
from livesegments.notify.replaying import Replaying
from livesegments.notify.stays import Stay
from livesegments.runtime import metrics
from livesegments.runtime.retry import until_done
from livesegments.store.client import Away
from livesegments.store.lanes import Lanes, LaneWrite
from livesegments.wire.attempt import Attempt, Dead
from livesegments.wire.subscription import Subscription

CONCURRENT = 32
"""Attempts of a lane at once."""
PORTION = 256
SAVE_S, SAVE_BATCHES_S, SAVE_POSITION_S = 0.1, 0.01, 2.0
"""How long what was done may be unsaved: messages, those in batches, and a position alone."""
LOOK_S, SHORTEST_S = 2.0, 0.005
"""Between two looks at what nobody calls us for."""
KEPT_TRIES = 100
"""Attempts noted in one commit, the newest."""

_log = structlog.get_logger(__name__)
_stay = msgspec.msgpack.Decoder(Stay)
_message = msgspec.msgpack.Decoder(Message)
_pack = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder().encode


class Fenced(Exception):
    """Another worker has the partition."""


class Reading(Protocol):
    def end(self, partition: int) -> int: ...

    async def read(self, partition: int, at: int, most: int) -> Sequence[Read]: ...


class Post(Protocol):
    async def __call__(self, rule: Subscription, message: Message) -> Outcome: ...


class Ports(msgspec.Struct, frozen=True):
    """`follow_log`: dwell goes by the newest transition. `gone`: the receiver said 410. `is_erased`: of a
    workspace's profile."""

    store: Lanes
    log: Reading
    post: Post
    wall_ms: Callable[[], int]
    follow_log: bool
    is_disabled: Callable[[Subscription], bool]
    gone: Callable[[Subscription], None]
    is_erased: Callable[[str, str], bool]


class Courier:
    def __init__(
        self, ports: Ports, partition: int, token: str, rule: Subscription, begin: int, anew: bool = False
    ) -> None:
        """`begin`: where a lane that was never saved begins; `anew`: also one that was, because the topic is
        another one."""
        self.rule = rule
        self.safe = begin
        """Everything before this offset is done with: the group's offset in Kafka, if Redis is lost."""
        self._ports, self._partition, self._token, self._begin = ports, partition, token, begin
        self._anew = anew
        self._name = rule.workspace, rule.id
        self._wake = asyncio.Event()
        self._lane: Lane | None = None
        self._replaying = Replaying()
        self._next_due_ms = 0.0
        self._attempts: set[asyncio.Task[None]] = set()
        self._tries: deque[bytes] = deque(maxlen=KEPT_TRIES)
        self._dead: list[bytes] = []
        self._newest_ms = 0
        self._saved_s = 0.0

    def wake(self) -> None:
        self._wake.set()

    def adopt(self, rule: Subscription) -> None:
        self.rule = rule
        if self._lane is not None:
            self._lane.adopt(rule)
            self._replaying.adopt(rule, self._partition)
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Messages that are not delivered."""
        return 0 if self._lane is None else len(self._lane.queue.messages)

    async def run(self) -> None:
        """Ends with Fenced, or when it is cancelled: then what was done is saved."""
        lane = self._lane = await until_done(self._load, Away)
        try:
            while True:
                self._wake.clear()
                active = not self.rule.paused and not self._ports.is_disabled(self.rule)
                took = await self._sent_and_filled(lane) if active else False
                await self._save(lane)
                if not took:
                    await self._wait(lane, active)
                else:
                    await asyncio.sleep(0)
        finally:
            for task in self._attempts:
                task.cancel()

    async def finish(self) -> None:
        """After `run` was cancelled: a last save, as far as the store lets us."""
        if self._lane is not None:
            try:
                await self._save(self._lane, last=True)
            except (Away, Fenced) as error:
                _log.info("a lane ends without its last save", error=repr(error))

    async def _load(self) -> Lane:
        stored = await self._ports.store.load(self._partition, *self._name)
        messages = tuple(_message.decode(data) for data in stored.messages)
        position = self._begin if stored.position is None or self._anew else stored.position
        self._replaying = Replaying(*stored.replay)
        self._replaying.adopt(self.rule, self._partition)
        if not messages:
            self.safe = position
        return Lane(self.rule, Saved(position, stored.next_number, messages))

    async def _sent_and_filled(self, lane: Lane) -> bool:
        """Whether there may be more at once. While all attempts are under way, nothing that is read could be
        sent: so the topic is read for many messages together, not anew after every one."""
        self._send(lane)
        if len(self._attempts) >= CONCURRENT:
            return False
        took = await self._fill(lane)
        self._send(lane)
        return took

    async def _fill(self, lane: Lane) -> bool:
        """Whether there may be more at once."""
        room, replaying = lane.queue.room, self._replaying
        if not room:
            return False
        if replaying.under_way:
            reads = await self._ports.log.read(self._partition, replaying.at, PORTION)
            again = replaying.take(self.rule, reads, room)
            lane.queue.add([each for each in again if self._may_be_named(each)], self._ports.wall_ms())
            return True
        reads = await self._ports.log.read(self._partition, lane.position, PORTION)
        return await self._take(lane, reads) if reads else await self._fire(lane)

    async def _take(self, lane: Lane, reads: Sequence[Read]) -> bool:
        before = lane.position
        known = await self._known(lane.unknown(reads))
        instants = (each.transition.at_ms for each in reads if each.transition is not None)
        self._newest_ms = max(instants, default=self._newest_ms)
        lane.take(reads, known, self._ports.wall_ms())
        if not lane.queue.messages:
            self.safe = lane.position
        return lane.position > before

    async def _fire(self, lane: Lane) -> bool:
        """Stays are looked at only where all that the topic holds was read: an exit may stand in it."""
        clock_ms = self._newest_ms if self._ports.follow_log else self._ports.wall_ms()
        if not stays.is_needed(self.rule) or clock_ms < self._next_due_ms:
            return False
        most = min(lane.queue.room, PORTION)
        look = partial(self._ports.store.due, self._partition, *self._name, clock_ms, most)
        due, self._next_due_ms = await until_done(look, Away)
        lane.fire({key: _stay.decode(data) for key, data in due.items()}, clock_ms)
        if due:
            self._saved_s = 0.0  # else they would be due once more
        return bool(due)

    async def _known(self, keys: list[str]) -> dict[str, Stay]:
        read = partial(self._ports.store.stays, self._partition, *self._name, keys)
        found = await until_done(read, Away)
        return {key: _stay.decode(data) for key, data in found.items()}

    def _send(self, lane: Lane) -> None:
        for message in lane.queue.ready(self._ports.wall_ms(), CONCURRENT - len(self._attempts)):
            task = asyncio.create_task(self._attempt(lane, message))
            self._attempts.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """In this order: whoever is woken counts the attempts that are under way."""
        self._attempts.discard(task)
        self._wake.set()

    async def _attempt(self, lane: Lane, message: Message) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        outcome = await self._ports.post(self.rule, message)
        took_s, now_ms = loop.time() - began_s, self._ports.wall_ms()
        metrics.NOTIFY_SECONDS.observe(took_s)
        took_ms = round(took_s * 1_000)
        self._tries.append(_json(Attempt(message.id, now_ms, took_ms, outcome.status, outcome.error)))
        if outcome.delivered:
            metrics.NOTIFY_DELIVERED.inc(len(message.transitions))
            lane.queue.delivered(message.number, now_ms)
        elif outcome.status == GONE:
            lane.queue.unsent(message.number)
            self._ports.gone(self.rule)
        else:
            metrics.NOTIFY_FAILED.inc()
            dead = lane.queue.failed(message.number, now_ms, outcome.asked_s)
            if dead is not None:
                self._bury(dead, outcome, now_ms)

    def _bury(self, dead: Message, outcome: Outcome, now_ms: int) -> None:
        metrics.NOTIFY_DEAD.inc()
        _log.warning("a message is a dead letter", subscription=self.rule.id, message=dead.id)
        gone = self._ports.is_erased
        named = [each for each in dead.transitions if not gone(each.workspace, each.profile)]
        if named:
            self._dead.append(
                _json(Dead(dead.id, now_ms, dead.failures, named, outcome.status, outcome.error))
            )

    def _may_be_named(self, transition: Transition) -> bool:
        """Of who is erased, a replay has the exits alone that tell of it."""
        is_erased = self._ports.is_erased(transition.workspace, transition.profile)
        return transition.cause == "erasure" or not is_erased

    async def _save(self, lane: Lane, last: bool = False) -> None:
        """Raises Fenced."""
        since_s = asyncio.get_running_loop().time() - self._saved_s
        if not last and since_s < (SAVE_S if self.rule.batch == 1 else SAVE_BATCHES_S):
            return
        changes = lane.changes()
        replay, moved = self._replaying.state, self._replaying.moved
        if changes is None and not moved and not self._tries and not self._dead:
            return
        at = lane.position, lane.queue.next_number
        changes = changes or Changes(*at, {}, [], {}, {})
        only_position = not (
            changes.puts or changes.drops or changes.stays or moved or self._tries or self._dead
        )
        if only_position and since_s < SAVE_POSITION_S and not last:
            return
        write = LaneWrite(
            changes.position,
            changes.next_number,
            {number: _pack(message) for number, message in changes.puts.items()},
            changes.drops,
            {key: None if stay is None else _pack(stay) for key, stay in changes.stays.items()},
            changes.dues,
            list(self._tries),
            list(self._dead),
            replay,
        )
        self._tries.clear()
        self._dead.clear()

        async def written() -> bool:
            return await self._ports.store.write(self._partition, *self._name, self._token, write)

        applied = await (written() if last else until_done(written, Away))
        if not applied:
            metrics.NOTIFY_FENCE_REFUSALS.inc()
            raise Fenced
        lane.saved(changes)
        self._replaying.saved(replay)
        due = (at for at in changes.dues.values() if at is not None)
        self._next_due_ms = min(self._next_due_ms, min(due, default=self._next_due_ms))
        self._saved_s = asyncio.get_running_loop().time()
        if lane.rule.batch > 1 or moved:
            self._wake.set()

    async def _wait(self, lane: Lane, active: bool) -> None:
        pause_s, now_ms = LOOK_S, self._ports.wall_ms()
        if active:
            wakes_ms = None if self._attempts else lane.queue.wakes_ms(now_ms)
            due_ms = self._next_due_ms if stays.is_needed(self.rule) else None
            for at_ms in (wakes_ms, due_ms):
                if at_ms is not None:
                    pause_s = min(pause_s, max((at_ms - now_ms) / 1_000, SHORTEST_S))
        if lane.queue.messages or self._tries or self._replaying.moved:
            pause_s = min(pause_s, SAVE_S if self.rule.batch == 1 else SAVE_BATCHES_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):  # `wait_for` would make a task for every wait
                await self._wake.wait()
