"""Small records that wait for one partition are applied together, in one commit.

Example: 40 records of five events each came while the store was busy. One by one they would be 40 commits,
and each of them a round trip: where the store answers after 25 ms that is a second, in which 50 more come. So
they are joined to one record of 200 events. The more wait, the less each of them costs.

Nothing else changes by it. The events are applied in their order, each at the instant at which it would be
applied by itself: where the records' stamps move the clock, the joined record says at which places.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, takewhile
from typing import Generic, NamedTuple, TypeVar

from livesegments.evaluator.ports import Received
from livesegments.wire.pack import MAX_BYTES, MAX_EVENTS, count_of, joined

Read = TypeVar("Read")
MOST = 200
"""Records."""


class Together(NamedTuple, Generic[Read]):
    """One record, or several right behind each other. `starts`: of each of them the place of its first event
    in the joined one, which is `value`, read as `events`."""

    records: Sequence[Received]
    starts: Sequence[int]
    value: bytes
    events: Read

    @property
    def stamps(self) -> list[tuple[int, int]]:
        """(the place of its first event, its stamp in ms) of every record but the first."""
        return [
            (start, record.stamp_ms)
            for start, record in zip(self.starts[1:], self.records[1:], strict=True)
        ]  # fmt: skip

    def whose(self, place: int) -> tuple[Received, int]:
        """The record that has the event at a place, and the event's place in it."""
        at = bisect_right(self.starts, place) - 1
        return self.records[at], place - self.starts[at]


def alone(record: Received, events: Read) -> Together[Read]:
    """A record that is applied by itself."""
    return Together([record], [0], record.value, events)


def together(waiting: Iterable[Received], read: Callable[[bytes], Read | None]) -> Together[Read] | None:
    """The first of those that wait, and those right behind it that can be joined to it; None: it has to be
    applied by itself. `read` says None of a record that is not packed, or may be faulty."""
    records = _run(waiting)
    value, content = _joined(records, read)
    if content is None and len(records) > 1:  # one of them is to blame
        records = list(takewhile(lambda record: read(record.value) is not None, records))
        value, content = _joined(records, read)
    if content is None:
        return None
    counts = [count_of(record.value) or 0 for record in records]
    return Together(records, [0, *accumulate(counts[:-1])], value, content)


def _run(waiting: Iterable[Received]) -> list[Received]:
    """Those that come right after each other, and together are no larger than one record may be."""
    records, count, size = list[Received](), 0, 0
    for record in waiting:
        if record.unread or (records and record.offset != records[-1].offset + 1):
            break
        events, size = count_of(record.value) or 0, size + len(record.value)
        count += events
        if not events or count > MAX_EVENTS or size > MAX_BYTES or len(records) == MOST:
            break
        records.append(record)
    return records


def _joined(records: Sequence[Received], read: Callable[[bytes], Read | None]) -> tuple[bytes, Read | None]:
    if len(records) < 2:
        return b"", None
    value = joined([record.value for record in records])
    return value, read(value)
