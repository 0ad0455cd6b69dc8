"""Transitions to Kafka: explicit partition, keyed by profile, idempotent, until the broker has them.

Records of `events` that are not ours go to the topic `rejected`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from livesegments.core.event import Transition
from livesegments.evaluator.batch import Batch
from livesegments.evaluator.kernel import native
from livesegments.evaluator.kernel.announcing import kinds, records
from livesegments.runtime.clock import wall_ms
from livesegments.runtime.producer import Producer
from livesegments.runtime.retry import until_done
from livesegments.store.told import Told
from livesegments.wire import identities
from livesegments.wire.identities import Identity
from livesegments.wire.rejected import Rejected, encode
from livesegments.wire.topics import EVENTS, IDENTITIES, MEMBERSHIPS, REJECTED

MAX_BATCH_BYTES = 256 * 1024
ROUND_S = 0.02
"""What due times announce waits for at most so long; nothing that an event did waits behind it."""
PLENTY = 1_000
"""So many transitions of one partition at once fill a request by themselves."""
MANY = 50
"""So many transitions of one partition at once are taken to be those of a storm."""
SLICE = 25
"""So many are encoded without a pause, where the native kernel was not built."""

_encode = msgspec.json.Encoder().encode


class KafkaPublisher:
    """Two producers for all partitions of a worker; one that can't go on after a failure is made anew.

    A producer has one request at a time under way to a broker. So what a storm of due times announces
    goes through a producer of its own, and what few events announce does not wait for the broker to store it.
    """

    def __init__(self, kafka: str) -> None:
        self._producer = Producer(kafka, MAX_BATCH_BYTES)
        self._bulk = Producer(kafka, MAX_BATCH_BYTES)
        self._round: asyncio.Event | None = None

    async def publish(self, partition: int, transitions: Sequence[Transition]) -> None:
        """Batches built here, not one future a record: an order of magnitude less work."""
        told = Told.of(transitions)
        through = self._producer if len(told) < MANY else self._bulk
        if MANY <= len(told) < PLENTY and all(cause == "clock" for _, cause, _ in kinds(told)):
            await self._next_round()
        if not native.BUILT:
            await self._publish_decoded(partition, told, through)
            return
        for made, count in records(told, MAX_BATCH_BYTES):
            await until_done(partial(self._send, through, partition, made, count), KafkaError)

    async def _next_round(self) -> None:
        """What partitions announce in a storm goes in rounds, so that one request has batches of several."""
        if self._round is None:
            self._round = asyncio.Event()
            asyncio.get_running_loop().call_later(ROUND_S, self._begin, self._round)
        await self._round.wait()

    def _begin(self, round_: asyncio.Event) -> None:
        self._round = None
        round_.set()

    async def _send(self, through: Producer, partition: int, made: bytes, count: int) -> None:
        producer = await through.started()
        batch: Any = Batch(made, count, wall_ms())
        await _sent(through, producer, producer.send_batch(batch, MEMBERSHIPS, partition=partition))

    async def _publish_decoded(
        self, partition: int, transitions: Sequence[Transition], through: Producer
    ) -> None:
        start = 0

        async def send() -> int:
            """Sends the next batch; returns where the one after it begins."""
            producer = await through.started()
            batch = producer.create_batch()
            end = start
            for each in transitions[start:]:
                if batch.append(key=each.profile.encode(), value=_encode(each), timestamp=None) is None:
                    break
                end += 1
                if not (end - start) % SLICE:
                    await asyncio.sleep(0)
            assert end > start, "a transition larger than a batch"
            await _sent(through, producer, producer.send_batch(batch, MEMBERSHIPS, partition=partition))
            return end

        while start < len(transitions):
            start = await until_done(send, KafkaError)

    async def reject(self, rejected: Rejected) -> None:
        """Returns when the broker has it; waits for it as long as that takes."""
        value = encode(rejected)

        async def send() -> None:
            producer = await self._producer.started()
            await _sent(self._producer, producer, producer.send(REJECTED, value))

        await until_done(send, KafkaError)

    async def hand(self, partition: int, value: bytes) -> None:
        """Returns when the broker has the record of topic `events`; waits for it as long as that takes."""

        async def send() -> None:
            producer = await self._producer.started()
            await _sent(self._producer, producer, producer.send(EVENTS, value, partition=partition))

        await until_done(send, KafkaError)

    async def identify(self, identity: Identity) -> None:
        """The same, to the topic `identities`."""

        async def send() -> None:
            producer = await self._producer.started()
            key, value = identities.key_of(identity), identities.encode(identity)
            await _sent(self._producer, producer, producer.send(IDENTITIES, value, key=key))

        await until_done(send, KafkaError)

    async def close(self) -> None:
        await self._producer.close()
        await self._bulk.close()


async def _sent(through: Producer, producer: AIOKafkaProducer, sending: Awaitable[Awaitable[Any]]) -> None:
    """Returns when the broker has it. Raises KafkaError; a new producer then takes this one's place."""
    try:
        await (await sending)
    except KafkaError:
        await through.drop(producer)
        raise
