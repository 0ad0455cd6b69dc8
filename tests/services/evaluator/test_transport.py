"""Records that were read together go through Faust's stream as one for each partition, and none is lost."""

from __future__ import annotations

import asyncio
from typing import Any

from faust.types import TP
from faust.types.tuples import ConsumerMessage

from livesegments.evaluator.transport import Consumer, records_of


def _message(partition: int, offset: int) -> ConsumerMessage:
    return ConsumerMessage("events", partition, offset, 0.0, 0, None, None, b"", None)


def test_a_batch_is_one_message_a_partition() -> None:
    came: list[Any] = []

    class Handing(Consumer):
        def __init__(self) -> None:
            """Only what is handed on is looked at."""

        async def callback(self, message: Any) -> None:
            came.append(message)

    batch = [_message(offset % 3, offset) for offset in range(100)]
    asyncio.run(Handing()._hand_on(batch))
    assert [message.tp for message in came] == [TP("events", partition) for partition in range(3)]
    assert [[each.offset for each in records_of(message)] for message in came] == [
        list(range(partition, 100, 3)) for partition in range(3)
    ]
