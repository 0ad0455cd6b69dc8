"""Laws 1 and 3: everything one record changes, and the offset after it, written at once, and by no zombie.

A `Commit` is a list of writes. It goes as a transaction (`commands`) or as one EVALSHA of `APPLY` (`call`);
module `fence` decides. The script compares the partition's owner and commit number with what the worker
believes; only if both are equal does it write all of it and step the number on. So

- a worker that lost its partition writes nothing: another owner's token is in the head;
- a commit whose predecessor failed writes nothing: the number is not the one it names. Several may
  therefore be under way at once;
- the state and the offset that it reflects can't come apart, whatever dies when.

All keys are of one partition, declared in KEYS and in one slot, so it holds on Redis Cluster too. A
write is cut into commands of fewer than `MAX_ARGUMENTS` arguments (Lua's `unpack` ends at 8,000).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha1
from typing import NamedTuple, TypeAlias

import msgspec

from livesegments.core.event import Transition
from livesegments.store import keys, tail
from livesegments.store.encoded import Argument, Encoded, Ready
from livesegments.store.tail import Entry
from livesegments.store.told import Told
from livesegments.wire.profilekey import ProfileKey

MAX_ARGUMENTS = 3_900

APPLY = """
local head = redis.call('HMGET', KEYS[1], 'owner', 'commit')
if head[1] ~= ARGV[1] or (head[2] or '0') ~= ARGV[2] then return 0 end
local i = 7
while i <= #ARGV do
  local n = tonumber(ARGV[i + 2])
  redis.call(ARGV[i], KEYS[tonumber(ARGV[i + 1])], unpack(ARGV, i + 3, i + 2 + n))
  i = i + 3 + n
end
redis.call('HSET', KEYS[1], 'commit', ARGV[3], 'offset', ARGV[4], 'catalog', ARGV[6])
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'clock', ARGV[5]) end
return 1
"""

RESTORE = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
local i = 2
while i <= #ARGV do
  local n = tonumber(ARGV[i + 2])
  redis.call(ARGV[i], KEYS[tonumber(ARGV[i + 1])], unpack(ARGV, i + 3, i + 2 + n))
  i = i + 3 + n
end
return 1
"""

CLAIM = """
local names =
  {'commit', 'offset', 'clock', 'topic', 'catalog', 'restoring', 'claimed', 'upto', 'again', 'states'}
local old = redis.call('HMGET', KEYS[1], unpack(names))
local time = redis.call('TIME')
local claimed = math.max(time[1] * 1000 + math.floor(time[2] / 1000), (tonumber(old[7]) or 0) + 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'topic', ARGV[2], 'claimed', string.format('%.0f', claimed))
if not old[1] then redis.call('HSET', KEYS[1], 'states', ARGV[3]) end
if not old[1] and not old[6] then redis.call('HSET', KEYS[1], 'restoring', '0 0') end
if old[1] and tonumber(old[1]) < tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[1], 'again', ARGV[5])
  old[9] = ARGV[5]
end
if old[4] and old[4] ~= ARGV[2] then
  redis.call('HSET', KEYS[1], 'offset', '0')
  redis.call('HDEL', KEYS[1], 'upto')
end
return old
"""


def sha(script: str) -> str:
    """The script's name for EVALSHA."""
    return sha1(script.encode()).hexdigest()


_APPLY_SHA = sha(APPLY)
_RESTORE_SHA = sha(RESTORE)
_decoder = msgspec.msgpack.Decoder(list[Transition])


Fields: TypeAlias = Mapping[str, str | bytes]


class Write(NamedTuple):
    command: str
    key: str
    arguments: Sequence[Argument]


class Commit:
    """Commit `number` of a partition; afterwards the head has `offset`, `clock_ms` and `catalog`.

    `clock_ms` None leaves the clock as it is. The methods only collect; nothing is sent from here.
    """

    __slots__ = ("_is_encoded", "catalog", "clock_ms", "number", "offset", "partition", "writes")

    def __init__(self, partition: int, number: int, offset: int, clock_ms: int | None, catalog: int) -> None:
        self.partition = partition
        self.number = number
        self.offset = offset
        self.clock_ms = clock_ms
        self.catalog = catalog
        self.writes: list[Write] = []
        self._is_encoded = False

    def put_fields(self, key: str, fields: Mapping[str, str] | Mapping[str, bytes] | Fields) -> None:
        self._write("HSET", key, _alternating(fields.keys(), fields.values()))

    def drop_fields(self, key: str, fields: Iterable[str]) -> None:
        self._write("HDEL", key, list(fields))

    def score(self, key: str, scores: Mapping[str, int] | Mapping[ProfileKey, int]) -> None:
        """Members of a sorted set with their scores (|score| < 2**53)."""
        self._write("ZADD", key, _alternating(scores.values(), scores.keys()))

    def unscore(self, key: str, members: Iterable[str]) -> None:
        self._write("ZREM", key, list(members))

    def set_bits(self, key: str, bits: Mapping[int, bool]) -> None:
        """Bits of a string, by their places."""
        if len(bits) == 1:
            ((place, bit),) = bits.items()
            self._write("SETBIT", key, [place, int(bit)])
        else:
            self._write(
                "BITFIELD",
                key,
                [each for place, bit in bits.items() for each in ("SET", "u1", place, int(bit))],
            )

    def unlink(self, keys_: Iterable[str]) -> None:
        self.writes += (Write("UNLINK", key, ()) for key in keys_)

    def announce(self, transitions: Sequence[Transition]) -> bytes:
        """Law 6: one entry of the outbox, with the commit's number as its id. Returns it, encoded."""
        told = Told.of(transitions).encoded
        self._write("XADD", keys.outbox(self.partition), [f"{self.number}-0", "t", told])
        return told

    def remember(self, entry: Entry, told: bytes | None) -> None:
        """One entry of the tail: what this commit did, for the archive. `told` comes from `announce`."""
        fields = tail.encode(entry, told)
        if fields:
            self._write("XADD", keys.tail(self.partition), [f"{self.number}-0", *fields])

    def hand(self, items: bytes) -> None:
        """One entry of what is to be handed over (`store.handing`)."""
        self._write("XADD", keys.handing(self.partition), [f"{self.number}-0", "h", items])

    def archived(self, upto: int) -> None:
        """The archive has the tail's entries up to commit `upto`."""
        self._write("XTRIM", keys.tail(self.partition), ["MINID", f"{upto + 1}-0"])

    def put_encoded(self, command: str, key: str, arguments: Encoded) -> None:
        """Arguments of a command that are encoded already, and are not too many."""
        self.writes.append(Write(command, key, arguments))
        self._is_encoded = True

    def _write(self, command: str, key: str, arguments: list[Argument]) -> None:
        for start in range(0, len(arguments), MAX_ARGUMENTS):  # even, so that pairs stay together
            self.writes.append(Write(command, key, arguments[start : start + MAX_ARGUMENTS]))

    def commands(self) -> list[Sequence[Argument]]:
        """The writes and then the head's, as the commands of a transaction."""
        head: list[Argument] = ["commit", self.number, "offset", self.offset, "catalog", self.catalog]
        if self.clock_ms is not None:
            head += ("clock", self.clock_ms)
        commands: list[Sequence[Argument]] = [
            (Ready((command, key, given)),) if isinstance(given, Encoded) else (command, key, *given)
            for command, key, given in self.writes
        ]
        commands.append(("HSET", keys.head(self.partition), *head))
        return commands

    def call(self, owner: str) -> list[Argument]:
        """The EVALSHA command; its reply is 1 if applied, 0 if refused."""
        places = {keys.head(self.partition): 1}
        arguments: list[Argument] = [
            owner,
            self.number - 1,
            self.number,
            self.offset,
            "" if self.clock_ms is None else self.clock_ms,
            self.catalog,
        ]
        arguments += self._placed(places)
        command = ["EVALSHA", _APPLY_SHA, len(places), *places, *arguments]
        return [Ready(command)] if self._is_encoded else command

    def _placed(self, places: dict[str, int]) -> list[Argument]:
        """The writes as the scripts take them; their keys are added to `places`."""
        placed: list[Argument] = []
        for command, key, given in self.writes:
            place = places.setdefault(key, len(places) + 1)
            placed += (command, place, len(given))
            placed += (given,) if isinstance(given, Encoded) else given
        return placed


def _alternating(firsts: Collection[Argument], seconds: Collection[Argument]) -> list[Argument]:
    flat: list[Argument] = [0] * (2 * len(firsts))
    flat[::2], flat[1::2] = firsts, seconds
    return flat


class Restore(Commit):
    """Writes of who makes a partition anew: only the owner is looked at, and the head is a key like others.

    They are such that they may be done twice: there is no number that one of them steps on.
    """

    __slots__ = ()

    def __init__(self, partition: int) -> None:
        super().__init__(partition, 0, 0, None, -1)

    def call(self, owner: str) -> list[Argument]:
        places = {keys.head(self.partition): 1}
        placed = self._placed(places)
        return ["EVALSHA", _RESTORE_SHA, len(places), *places, owner, *placed]


def announced(entry: bytes) -> list[Transition]:
    """The transitions that `announce` wrote, from the entry's field `t`."""
    return _decoder.decode(entry)
