"""A partition's part of Redis, as its owner uses it. `Shard` is the port, `RedisShard` the real one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from livesegments.core.event import Transition
from livesegments.core.states import STATES
from livesegments.store import keys
from livesegments.store.client import Away
from livesegments.store.commit import APPLY, CLAIM, RESTORE, Commit, announced, sha
from livesegments.store.fence import Fence
from livesegments.store.handing import Item
from livesegments.store.handing import decode as decode_items
from livesegments.store.lane import Lane
from livesegments.store.tail import Entry, decode_fields
from livesegments.store.walk import set_bits
from livesegments.wire.profilekey import ProfileKey

PAGE = 1_000


class Head(Struct, frozen=True):
    """The state after the last commit. `offset` is the next record to apply, `catalog` the adopted revision.

    `clock_ms` is None before the first event; `recreated` says that the topic is another one than the
    offset was of: it then starts again at 0. `restoring`: it was being made anew, and that was cut short.
    `foreign`: what is stored has another version than `core.states.STATES`.
    `upto`, `again`: the offset and the catalogue's revision that a partition which was made anew, or taken
    back, has to come to before it is what it was; `again` is None once it is.
    """

    commit: int
    offset: int
    clock_ms: int | None
    catalog: int
    recreated: bool = False
    restoring: bool = False
    foreign: bool = False
    upto: int = 0
    again: int | None = None


class Shard(Protocol):
    """All calls take effect in the order in which they are made, whether or not they are awaited.

    Where the store can't be reached they raise Away, and what they
    were to do may or may not have been done.
    """

    async def open(self) -> None:
        """Before the first call, and after a failure."""

    async def close(self) -> None: ...

    async def fence(self) -> tuple[str | None, int]:
        """The token of the last claim, and the number of the last commit."""

    async def claim(self, token: str, topic: str, applied: int = 0, revision: int = 0) -> Head:
        """From now on only commits under `token` are applied. A partition without a commit counts from here
        on as one that is being made anew: nobody knows yet whether there was one. One without commit
        `applied`, which is known to have been, has to come to `revision` again."""

    def commit(self, token: str, commit: Commit) -> asyncio.Future[bool]:
        """False: refused, nothing was written."""

    async def profiles(self, workspace: str, ids: Sequence[str]) -> list[bytes | None]: ...

    async def count(self, workspace: str) -> int: ...

    async def scan(self, workspace: str, cursor: int, count: int) -> tuple[int, dict[str, bytes]]:
        """About `count` profiles from `cursor` (0 to begin) and the next cursor (0: that was all)."""

    async def lot(self, workspace: str) -> str | None:
        """The id of a stored profile, drawn by lot; None if there is none."""

    async def among(self, workspace: str, id_: str, number: int, segments: Sequence[str]) -> dict[str, bool]:
        """Of which of these segments a profile, with its number, is among the stored members."""

    async def sizes(self, segments: Sequence[tuple[str, str]]) -> list[int]:
        """How many members segments have, by (workspace, segment)."""

    async def members(self, workspace: str, segment: str) -> Mapping[int, str]:
        """All members of a segment: number → id."""

    async def dues(self, limit: int) -> list[tuple[int, ProfileKey]]:
        """The first (instant, profile), in order."""

    async def fields(self, key: str) -> dict[str, bytes]: ...

    async def field(self, key: str, name: str) -> bytes | None: ...

    async def keys(self) -> list[str]:
        """All of the partition's keys, but for the head's; it may take its time."""

    async def outbox(self, to: int, limit: int) -> list[tuple[int, list[Transition]]]:
        """The oldest commits up to number `to` that are not trimmed, with their transitions."""

    async def trim(self, to: int, in_time: bool = True) -> None:
        """Forget the outbox's entries up to commit `to`; if not `in_time`, together with the next command."""

    async def handing(self, limit: int) -> list[tuple[int, list[Item]]]:
        """The oldest commits' items that are not handed over."""

    async def handed(self, to: int) -> None:
        """Forget the items of commits up to `to`."""

    async def tail(self, after: int, to: int, limit: int) -> list[tuple[int, Entry]]:
        """The oldest entries of commits `after` + 1 to `to`."""

    async def tail_bytes(self) -> int:
        """About what the tail takes in the store's memory."""


class RedisShard:
    """Over one lane, opened by `open` and opened anew by it after a failure."""

    def __init__(self, url: str, partition: int) -> None:
        self._url = url
        self.partition = partition
        self._head = keys.head(partition)
        self._lane: Lane | None = None
        self._fence: Fence | None = None

    async def open(self) -> None:
        await self.close()
        lane = await Lane.open(self._url)
        try:
            await asyncio.gather(*(lane.call("SCRIPT", "LOAD", script) for script in (APPLY, CLAIM, RESTORE)))
            fence = Fence(lane, self._head)
            await fence.open()
        except BaseException:
            await lane.close()
            raise
        self._lane, self._fence = lane, fence

    async def close(self) -> None:
        if self._lane is not None:
            lane, self._lane, self._fence = self._lane, None, None
            await lane.close()

    @property
    def _opened(self) -> Lane:
        if self._lane is None:
            raise Away("not open")
        return self._lane

    @property
    def _fenced(self) -> Fence:
        if self._fence is None:
            raise Away("not open")
        return self._fence

    def _call(self, *command: Any) -> asyncio.Future[Any]:
        return self._opened.call(*command)

    async def fence(self) -> tuple[str | None, int]:
        token, commit = await self._call("HMGET", self._head, "owner", "commit")
        return None if token is None else token.decode(), int(commit or 0)

    async def claim(self, token: str, topic: str, applied: int = 0, revision: int = 0) -> Head:
        self._fenced.step_over()
        commit, offset, clock, old_topic, catalog, restoring, _, upto, again, states = await self._call(
            "EVALSHA", sha(CLAIM), 1, self._head, token, topic, STATES, applied, revision
        )
        recreated = old_topic is not None and old_topic.decode() != topic
        return Head(
            commit=int(commit or 0),
            offset=0 if recreated else int(offset or 0),
            clock_ms=None if clock is None else int(clock),
            catalog=-1 if catalog is None else int(catalog),
            recreated=recreated,
            restoring=restoring is not None,
            foreign=commit is not None and int(states or 0) != STATES,
            upto=0 if recreated else int(upto or 0),
            again=None if again is None else int(again),
        )

    def commit(self, token: str, commit: Commit) -> asyncio.Future[bool]:
        return self._fenced.send(token, commit)

    async def profiles(self, workspace: str, ids: Sequence[str]) -> list[bytes | None]:
        return await self._call("HMGET", keys.profiles(self.partition, workspace), *ids)  # type: ignore[no-any-return]

    async def count(self, workspace: str) -> int:
        return int(await self._call("HLEN", keys.profiles(self.partition, workspace)))

    async def scan(self, workspace: str, cursor: int, count: int) -> tuple[int, dict[str, bytes]]:
        following, flat = await self._call(
            "HSCAN", keys.profiles(self.partition, workspace), cursor, "COUNT", count
        )
        return int(following), _pairs(flat)

    async def lot(self, workspace: str) -> str | None:
        found = await self._call("HRANDFIELD", keys.profiles(self.partition, workspace))
        return None if found is None else str(found.decode())

    async def among(self, workspace: str, id_: str, number: int, segments: Sequence[str]) -> dict[str, bool]:
        asked = []
        for each in segments:
            asked.append(self._call("ZSCORE", keys.members(self.partition, workspace, each), id_))
            asked.append(self._call("GETBIT", keys.bits(self.partition, workspace, each), number))
        replies = await asyncio.gather(*asked)
        return {
            each: score is not None or bit == 1
            for each, score, bit in zip(segments, replies[::2], replies[1::2], strict=True)
        }

    async def sizes(self, segments: Sequence[tuple[str, str]]) -> list[int]:
        asked = []
        for each in segments:
            asked.append(self._call("ZCARD", keys.members(self.partition, *each)))
            asked.append(self._call("BITCOUNT", keys.bits(self.partition, *each)))
        replies = await asyncio.gather(*asked)
        return [int(few + many) for few, many in zip(replies[::2], replies[1::2], strict=True)]

    async def members(self, workspace: str, segment: str) -> Mapping[int, str]:
        flat, bits = await asyncio.gather(
            self._call("ZRANGE", keys.members(self.partition, workspace, segment), 0, -1, "WITHSCORES"),
            self._call("GET", keys.bits(self.partition, workspace, segment)),
        )
        found = {int(float(score)): id_.decode() for id_, score in zip(*[iter(flat)] * 2, strict=True)}
        numbers = [number for number in set_bits(bits or b"") if number not in found]
        for start in range(0, len(numbers), PAGE):
            some = numbers[start : start + PAGE]
            ids = await self._call("HMGET", keys.ids(self.partition, workspace), *some)
            found.update((number, id_.decode()) for number, id_ in zip(some, ids, strict=True) if id_)
        return found

    async def dues(self, limit: int) -> list[tuple[int, ProfileKey]]:
        flat = await self._call("ZRANGE", keys.due(self.partition), 0, limit - 1, "WITHSCORES")
        return [
            (int(float(due)), ProfileKey(member.decode()))
            for member, due in zip(*[iter(flat)] * 2, strict=True)
        ]

    async def fields(self, key: str) -> dict[str, bytes]:
        return _pairs(await self._call("HGETALL", key))

    async def field(self, key: str, name: str) -> bytes | None:
        return await self._call("HGET", key, name)  # type: ignore[no-any-return]

    async def keys(self) -> list[str]:
        found, cursor = set[str](), b"0"
        while True:
            cursor, page = await self._call(
                "SCAN", cursor, "MATCH", f"{keys.of(self.partition)}*", "COUNT", 5_000
            )
            found |= {key.decode() for key in page}
            if cursor == b"0":
                return sorted(found - {self._head})

    async def outbox(self, to: int, limit: int) -> list[tuple[int, list[Transition]]]:
        entries = await self._call("XRANGE", keys.outbox(self.partition), "-", f"{to}-0", "COUNT", limit)
        return [(int(id_.split(b"-")[0]), announced(fields[1])) for id_, fields in entries]

    async def trim(self, to: int, in_time: bool = True) -> None:
        command = "XTRIM", keys.outbox(self.partition), "MINID", f"{to + 1}-0"
        await (self._call(*command) if in_time else self._opened.call_later(*command))

    async def handing(self, limit: int) -> list[tuple[int, list[Item]]]:
        entries = await self._call("XRANGE", keys.handing(self.partition), "-", "+", "COUNT", limit)
        return [(int(id_.split(b"-")[0]), decode_items(fields[1])) for id_, fields in entries]

    async def handed(self, to: int) -> None:
        await self._call("XTRIM", keys.handing(self.partition), "MINID", f"{to + 1}-0")

    async def tail(self, after: int, to: int, limit: int) -> list[tuple[int, Entry]]:
        entries = await self._call(
            "XRANGE", keys.tail(self.partition), f"{after + 1}-0", f"{to}-0", "COUNT", limit
        )
        return [
            (int(id_.split(b"-")[0]), decode_fields(dict(zip(*[iter(flat)] * 2, strict=True))))
            for id_, flat in entries
        ]

    async def tail_bytes(self) -> int:
        return int(await self._call("MEMORY", "USAGE", keys.tail(self.partition), "SAMPLES", 10) or 0)


def _pairs(flat: list[bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in zip(*[iter(flat)] * 2, strict=True)}
