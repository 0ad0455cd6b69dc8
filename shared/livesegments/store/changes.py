"""A sequence log: every change has the next number of one sequence, and waits in an outbox until it is known
to be somewhere else as well. It serves any kind of entry; the catalogue is the first.

- The same script call writes the entry into its hash, moves the revision of its scope, and puts the change
  into the outbox. So what is in the store is either published or still in the outbox, whatever dies when.
- A scope is what is decided on at once. Its revision is the number of its last change. Who changes something
  reads the scope, decides on what it read, and writes only if the revision is still the same.
- Without a sequence (the store is empty, or was lost) nothing is written.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from livesegments.store.client import Client

CHANGE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return -2 end
local revision = redis.call('HGET', KEYS[2], ARGV[1]) or '0'
if ARGV[2] ~= '' and revision ~= ARGV[2] then return -1 end
if ARGV[7] == '1' and redis.call('HEXISTS', KEYS[4], ARGV[4]) == 1 then return -1 end
local sequence = redis.call('INCR', KEYS[1])
redis.call('HSET', KEYS[2], ARGV[1], sequence)
if ARGV[5] == '' then redis.call('HDEL', KEYS[4], ARGV[4])
else redis.call('HSET', KEYS[4], ARGV[4], ARGV[5]) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[5], ARGV[4], ARGV[6]) end
redis.call('XADD', KEYS[3], sequence .. '-0', 'key', ARGV[3], 'value', ARGV[5])
return sequence
"""
STALE, LOST = -1, -2


class NotRestored(Exception):
    """The store holds no sequence yet (or any more): it has to be restored from the topic first."""


class Change(Struct, frozen=True):
    """A change waiting in the outbox; an empty `value` deletes `key`."""

    sequence: int
    key: str
    value: bytes


class Write(Struct, frozen=True):
    """`value` goes into `field` of the hash `place` (empty: the field is deleted) and, under `key`, into the
    outbox. `revision` None: whatever the scope's is. `new`: only if the field is not there.

    `retired` is written into the same field of the hash `retired_place`, where it is not empty.
    """

    scope: str
    revision: str | None
    place: str
    field: str
    key: str
    value: bytes
    retired_place: str
    retired: str = ""
    new: bool = False


class Changes:
    """`sequence`, `revisions` and `outbox` are the names of its three keys, in one hash slot with the places.

    Everything raises Away.
    """

    def __init__(self, store: Client, sequence: str, revisions: str, outbox: str) -> None:
        self._store: Any = store
        self._keys = (sequence, revisions, outbox)
        self._change = self._store.register_script(CHANGE)

    async def write(self, change: Write) -> int:
        """The number of the change; STALE if `revision` is not the scope's any more, or a `new` field is
        there. Raises NotRestored."""
        number = int(
            await self._change(
                keys=[*self._keys, change.place, change.retired_place],
                args=[
                    change.scope,
                    change.revision or "",
                    change.key,
                    change.field,
                    change.value,
                    change.retired,
                    int(change.new),
                ],
            )
        )
        if number == LOST:
            raise NotRestored
        return number

    async def sequence(self) -> int:
        """The number of the last change; -1 where there is no sequence."""
        return number(await self._store.get(self._keys[0]))

    async def outbox(self, limit: int = 1_000) -> list[Change]:
        """The oldest changes not yet known to be published."""
        entries = await self._store.xrange(self._keys[2], count=limit)
        return [
            Change(int(id_.split(b"-")[0]), fields[b"key"].decode(), fields[b"value"])
            for id_, fields in entries
        ]

    async def trim(self, to: int) -> None:
        """Forget the outbox up to change `to`."""
        await self._store.xtrim(self._keys[2], minid=f"{to + 1}-0", approximate=False)


def number(sequence: bytes | None) -> int:
    return -1 if sequence is None else int(sequence)
