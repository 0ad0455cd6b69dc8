"""Frozen audiences: the ids of one, as they were, for as long as its token lives.

`{frozen}:WORKSPACE` has a `Frozen` for every token; `{p}:frozen:WORKSPACE:TOKEN` the ids of partition p in
the order of their numbers, `PAGE` in a field, behind the number of the last one, packed by zlib. All of
it expires. A token without its ids, or ids without a token (a store that was emptied, a partition that was
made anew), is `Gone`: nobody is given a wrong page.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from livesegments.core.audience import Audience
from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.store.standing import Heads
from livesegments.store.together import Command

PAGE = 1_000
LONGER_MS = 60_000
"""The ids outlive their token by this much, so that clocks that differ take no page away."""
MOST_LIFETIME_MS = 86_400_000

# KEYS: the workspace's tokens; ARGV: how many there may be, the token, its JSON, how long (ms) it is kept
_ADD = """
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""
# the same without the first; a token that was deleted meanwhile stays so
_PUT = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""


class Gone(Exception):
    """The token, or a part of what it stands for, is not kept any more, or was never there."""


class Frozen(Struct, frozen=True):
    """`counts`: ids so far, by partition; `size`: the bytes that they take; `ended_ms`: None until
    it is whole.

    `alive_ms`: when the api that freezes it said so last. `failed`: why there will be no end.
    """

    token: str
    audience: Audience
    begun_ms: int
    expires_ms: int
    counts: tuple[int, ...]
    size: int = 0
    alive_ms: int = 0
    ended_ms: int | None = None
    failed: str | None = None

    @property
    def count(self) -> int:
        return sum(self.counts)

    def pages(self, partition: int) -> int:
        """How many fields the ids of a partition take."""
        return -(-self.counts[partition] // PAGE)


class At(Struct, frozen=True, array_like=True):
    """A place among the ids of a token: of `partition`, in field `page`, before the id number `offset`."""

    partition: int = 0
    page: int = 0
    offset: int = 0


class Ids(NamedTuple):
    """What a field has: ids in the order of their profiles' numbers, and the number of the last one."""

    ids: Sequence[str]
    last: int


class FrozenStore:
    """Raises Away when the store can't be reached, reads also Restoring when it is not whole."""

    def __init__(self, store: Client, heads: Heads) -> None:
        self._redis: Any = store
        self._heads = heads
        self._add = self._redis.register_script(_ADD)
        self._put = self._redis.register_script(_PUT)

    async def every(self, workspace: str, now_ms: int) -> list[Frozen]:
        """The tokens that live, the oldest first; those that don't are dropped."""
        name = keys.frozen(workspace)
        found = [_decoder.decode(data) for data in (await self._redis.hgetall(name)).values()]
        old = [each.token for each in found if each.expires_ms <= now_ms]
        if old:
            await self._redis.hdel(name, *old)
        living = [each for each in found if each.expires_ms > now_ms]
        return sorted(living, key=lambda each: (each.begun_ms, each.token))

    async def one(self, workspace: str, token: str, now_ms: int) -> Frozen:
        """Raises Gone."""
        data = await self._redis.hget(keys.frozen(workspace), token)
        found = None if data is None else _decoder.decode(data)
        if found is None or found.expires_ms <= now_ms:
            raise Gone
        return found

    async def add(self, workspace: str, made: Frozen, most: int) -> bool:
        """Whether there was room for one more."""
        return bool(
            await self._add(
                keys=[keys.frozen(workspace)],
                args=[most, made.token, _encode(made), MOST_LIFETIME_MS + LONGER_MS],
            )
        )

    async def put(self, workspace: str, made: Frozen) -> None:
        """How far it is. Raises Gone where it was deleted meanwhile."""
        if not await self._put(keys=[keys.frozen(workspace)], args=[made.token, _encode(made)]):
            raise Gone

    async def delete(self, workspace: str, token: str) -> None:
        """The ids too."""
        await self._redis.hdel(keys.frozen(workspace), token)
        for partition in range(self._heads.partitions):
            await self._redis.unlink(keys.frozen_ids(partition, workspace, token))

    async def write(
        self, workspace: str, token: str, partition: int, pages: Mapping[int, Ids], keep_ms: int
    ) -> int:
        """Ids by field; the bytes that they take."""
        name = keys.frozen_ids(partition, workspace, token)
        packed = {
            page: zlib.compress("\n".join((str(last), *ids)).encode(), 1)
            for page, (ids, last) in pages.items()
        }
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(name, mapping=packed)
            pipe.pexpire(name, keep_ms + LONGER_MS)
            await pipe.execute()
        return sum(map(len, packed.values()))

    async def read(self, workspace: str, frozen: Frozen, wanted: Sequence[tuple[int, int]]) -> list[Ids]:
        """Those of some fields, each a partition and a page. Raises Gone where one is lost."""
        commands: list[Command] = [
            ("HGET", keys.frozen_ids(partition, workspace, frozen.token), page) for partition, page in wanted
        ]
        replies = await self._heads.read(*commands)
        if None in replies:
            raise Gone
        found = (zlib.decompress(each).decode().split("\n") for each in replies)
        return [Ids(ids, int(last)) for last, *ids in found]

    async def page(self, workspace: str, frozen: Frozen, at: At, limit: int) -> tuple[list[str], At | None]:
        """The next ids, and where to go on; None: these were the last. Raises Gone."""
        wanted: list[tuple[int, int]] = []
        partition, number, room = at.partition, at.page, limit + at.offset
        while room > 0 and partition < len(frozen.counts):
            if number >= frozen.pages(partition):
                partition, number = partition + 1, 0
                continue
            wanted.append((partition, number))
            room -= min(PAGE, frozen.counts[partition] - number * PAGE)
            number += 1
        found: list[str] = []
        for (part, page), (ids, _) in zip(wanted, await self.read(workspace, frozen, wanted), strict=True):
            begin = at.offset if (part, page) == (at.partition, at.page) else 0
            some = ids[begin : begin + limit - len(found)]
            found += some
            if begin + len(some) < len(ids):
                return found, At(part, page, begin + len(some))
        while partition < len(frozen.counts) and number >= frozen.pages(partition):
            partition, number = partition + 1, 0
        return found, At(partition, number) if partition < len(frozen.counts) else None


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Frozen)
