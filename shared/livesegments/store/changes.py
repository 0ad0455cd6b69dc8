"""A sequence log: every change has the next number of one sequence, and waits in an outbox until it is known
to be somewhere else as well. It serves any kind of entry; the catalogue is the first.

- The same script call writes the entry into its hash, moves the revision of its scope, and puts the change
  into the outbox. So what is in the store is either published or still in the outbox, whatever dies when.
- A scope is what is decided on at once. Its revision is the number of its last change, followed by a mark of
  its own once the store was restored: so no revision comes twice. A process that changes something reads the
  scope, decides on what it read, and writes only if the revision is still the same.
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
if ARGV[3] == '1' then
  for i = 5, #ARGV, 5 do
    if redis.call('HEXISTS', KEYS[4], ARGV[i]) == 1 then return -1 end
  end
end
local sequence
for i = 5, #ARGV, 5 do
  local field, key, value, retired = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local place = KEYS[tonumber(ARGV[i + 4])]
  sequence = redis.call('INCR', KEYS[1])
  if field == '#' then
    field = string.format('%016.0f', sequence)
    key = string.gsub(key, '#$', field)
    value = string.gsub(value, '"id":"#"', '"id":"' .. field .. '"', 1)
  end
  if value == '' then redis.call('HDEL', place, field) else redis.call('HSET', place, field, value) end
  if retired ~= '' then redis.call('HSET', KEYS[5], field, retired) end
  if ARGV[4] == '1' and place == KEYS[4] then redis.call('ZADD', KEYS[6], sequence, field) end
  redis.call('XADD', KEYS[3], sequence .. '-0', 'key', key, 'value', value)
end
redis.call('HSET', KEYS[2], ARGV[1], sequence .. (string.match(revision, '-.*') or ''))
return sequence
"""
SINCE = """
local revision = redis.call('HGET', KEYS[1], ARGV[1]) or '0'
if revision == ARGV[2] then return {revision, {}} end
local before, epoch = string.match(ARGV[2], '^(%d+)(.*)$')
if not before or (string.match(revision, '-.*') or '') ~= epoch then return {revision} end
local fields = redis.call('ZRANGE', KEYS[4], '(' .. before, '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[3] + 1)
if #fields == 0 or #fields > tonumber(ARGV[3]) then return {revision} end
local values = redis.call('HMGET', KEYS[2], unpack(fields))
local retired = redis.call('HMGET', KEYS[3], unpack(fields))
return {revision, fields, values, retired, KEYS[5] and redis.call('HVALS', KEYS[5]) or {}}
"""
MOST = 1_000
"""With more changes than this, all entries are read instead."""
STALE, LOST = -1, -2


class NotRestored(Exception):
    """The store holds no sequence yet (or any more): it has to be restored from the topic first."""


class Change(Struct, frozen=True):
    """A change waiting in the outbox; an empty `value` deletes `key`."""

    sequence: int
    key: str
    value: bytes


class Put(Struct, frozen=True):
    """`value` goes into `field` of the write's hash (empty: the field is deleted) and, under `key`, into the
    outbox. The field `#` becomes the number of the change, in 16 digits, also at the end of the key and in
    the value's `"id":"#"`. `retired` goes into the same field of the hash for those, where it is not empty.
    `place`: another hash than the write's."""

    field: str
    key: str
    value: bytes
    retired: str = ""
    place: str = ""


class Write(Struct, frozen=True):
    """Entries of one scope, all of them or none. `revision` None: whatever the scope's is.

    `place` and `retired_place` are the hashes, `changed_place` a sorted set of the fields by the number of
    their last change, if there is one. `new`: only if none of the fields is there.
    """

    scope: str
    revision: str | None
    place: str
    puts: tuple[Put, ...]
    retired_place: str
    changed_place: str = ""
    new: bool = False


class Since(Struct, frozen=True):
    """What changed in a scope since another revision, up to `revision`: field → value and retired version.

    `beside`: all that is in the place beside it.
    """

    revision: str
    fields: dict[str, tuple[bytes | None, bytes | None]]
    beside: list[bytes] = []


class Changes:
    """`sequence`, `revisions` and `outbox` are the names of its three keys, in one hash slot with the places.

    Everything raises Away.
    """

    def __init__(self, store: Client, sequence: str, revisions: str, outbox: str) -> None:
        self._store: Any = store
        self._keys = (sequence, revisions, outbox)
        self._change = self._store.register_script(CHANGE)
        self._since = self._store.register_script(SINCE)

    async def write(self, change: Write) -> int:
        """The number of the last of the changes; STALE if `revision` is not the scope's any more, or a `new`
        field is there. Raises NotRestored."""
        places = [change.place, change.retired_place] + [change.changed_place] * bool(change.changed_place)
        places += sorted({put.place for put in change.puts if put.place})
        flat: list[str | bytes | int] = []
        for put in change.puts:
            at = len(self._keys) + 1 + places.index(put.place or change.place)
            flat += (put.field, put.key, put.value, put.retired, at)
        number = int(
            await self._change(
                keys=[*self._keys, *places],
                args=[
                    change.scope,
                    change.revision or "",
                    int(change.new),
                    int(bool(change.changed_place)),
                    *flat,
                ],
            )
        )
        if number == LOST:
            raise NotRestored
        return number

    async def since(
        self,
        scope: str,
        revision: str,
        place: str,
        retired_place: str,
        changed_place: str,
        *beside: str,
    ) -> Since | None:
        """The entries written since a revision that was read here; None where all have to be read to know
        that."""
        found = await self._since(
            keys=[self._keys[1], place, retired_place, changed_place, *beside], args=[scope, revision, MOST]
        )
        if len(found) == 1:
            return None
        now, fields, *columns = found
        if not columns:
            return Since(now.decode(), {}, [])
        rows = zip(fields, zip(*columns[:2], strict=True), strict=True)
        return Since(now.decode(), {field.decode(): row for field, row in rows}, columns[2])

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
