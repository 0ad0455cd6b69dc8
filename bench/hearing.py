"""Hears what is announced in `memberships`, with as little work as can be: the cores are for who announces.

Batches come as the broker keeps them, and are looked through as bytes; no record becomes an object. A consumer of
aiokafka takes as much of a core for a storm of 40,000 a second as the evaluator.
"""

from __future__ import annotations

import re
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest

from livesegments.wire.topics import MEMBERSHIPS

EXITED = b'"kind":"exited"'
ENTERED = re.compile(rb'"profile":"([^"]*)","kind":"entered"')
WAIT_MS = 500
MOST_BYTES = 1 << 20
"""Of one partition in one answer."""
_HEAD = struct.Struct(">qi")
"""The offset of a batch's first record, and the batch's length after these two."""
_LAST = struct.Struct(">i")
_LAST_AT = 23
"""Where a batch says how far its last record's offset is from the first one's."""


class Heard(NamedTuple):
    """`at_s`: when it came. The profiles that entered, and how many exited."""

    at_s: float
    entered: list[str]
    exited: int


@asynccontextmanager
async def hearing(kafka: str, partitions: int) -> AsyncIterator[AsyncIterator[Heard]]:
    """What is announced from now on."""
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        ends = await consumer.end_offsets(
            [TopicPartition(MEMBERSHIPS, number) for number in range(partitions)]
        )
    client = AIOKafkaClient(bootstrap_servers=kafka)
    await client.bootstrap()
    try:
        yield _heard(client, {part.partition: offset for part, offset in ends.items()})
    finally:
        await client.close()


async def _heard(client: AIOKafkaClient, offsets: dict[int, int]) -> AsyncIterator[Heard]:
    node = client.get_random_node()
    while True:
        wanted = [(number, offset, MOST_BYTES) for number, offset in offsets.items()]
        request = FetchRequest(WAIT_MS, 1, MOST_BYTES * len(offsets), 0, [(MEMBERSHIPS, wanted)])
        answer = await client.send(node, request)
        at_s = time.time()
        for _, parts in answer.topics:
            for part in parts:
                number, error, data = part[0], part[1], part[-1] or b""
                assert not error, f"the broker answers with error {error}"
                end, offset = whole(data)
                if end:
                    offsets[number] = offset
                    entered = [found[1].decode() for found in ENTERED.finditer(data, 0, end)]
                    yield Heard(at_s, entered, data.count(EXITED, 0, end))


def whole(data: bytes) -> tuple[int, int]:
    """Where the last whole batch ends, and the offset after it; the broker may cut the one behind it."""
    end = offset = 0
    while end + _HEAD.size <= len(data):
        first, length = _HEAD.unpack_from(data, end)
        if end + _HEAD.size + length > len(data):
            break
        offset = first + _LAST.unpack_from(data, end + _LAST_AT)[0] + 1
        end += _HEAD.size + length
    return end, offset
