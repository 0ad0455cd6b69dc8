"""A batch for aiokafka's producer whose records are made already.

It stands for aiokafka's `BatchBuilder`, whose `append` takes longer for a record than the native kernel takes
to make it. The rest of the batch is 61 bytes before the records, in Kafka's format 2.
"""

from __future__ import annotations

import struct

from aiokafka.record.util import calc_crc32c

_HEAD = struct.Struct(">qiibI")
"""The first offset, the length of what follows it, the leader's epoch, the format, the rest's checksum."""
_BODY = struct.Struct(">hiqqqhii")
"""Attributes, the last record's distance from the first, the first and the latest instant, the producer's id,
its epoch, the sequence number of the first record, how many records there are."""
FORMAT = 2
_AFTER_LENGTH = _HEAD.size - 12


class Batch:
    """`count` records, one after the other in `records`; all of them are of the instant `stamp_ms`."""

    def __init__(self, records: bytes, count: int, stamp_ms: int) -> None:
        self._records = records
        self._count = count
        self._stamp_ms = stamp_ms
        self._of = -1, -1, 0
        self._built = b""

    def record_count(self) -> int:
        return self._count

    def size(self) -> int:
        return _HEAD.size + _BODY.size + len(self._records)

    def close(self) -> None:
        """Nothing can be added anyway."""

    def closed(self) -> bool:
        return True

    def append(self, **_: object) -> None:
        """It is full."""

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._of = producer_id, producer_epoch, base_sequence

    def _build(self) -> bytes:
        """The same bytes each time, for a batch that is sent again is known by them."""
        if not self._built:
            stamp_ms, last = self._stamp_ms, self._count - 1
            body = _BODY.pack(0, last, stamp_ms, stamp_ms, *self._of, self._count) + self._records
            head = _HEAD.pack(0, _AFTER_LENGTH + len(body), -1, FORMAT, calc_crc32c(body))
            self._built = head + body
        return self._built
