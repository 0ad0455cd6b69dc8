"""A stand-in for a partition's part of Redis: the port `Shard` on dictionaries."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from livesegments.core.event import Transition
from livesegments.core.states import STATES
from livesegments.store import keys
from livesegments.store.client import Away
from livesegments.store.commit import Commit, Restore, announced
from livesegments.store.handing import Item
from livesegments.store.handing import decode as decode_items
from livesegments.store.shard import Head
from livesegments.store.tail import Entry, decode_fields
from livesegments.wire.profilekey import ProfileKey

T = TypeVar("T")
_claims = itertools.count(1)
_STATES = str(STATES).encode()


class MemoryStore:
    """The server's side: what all shards opened on it share. `copy` is a snapshot to go back to."""

    def __init__(self) -> None:
        self.hashes: dict[str, dict[str, Any]] = {}
        self.scores: dict[str, dict[str, int]] = {}
        self.bits: dict[str, set[int]] = {}
        self.streams: dict[str, dict[int, dict[bytes, bytes]]] = {}
        self.refused = 0
        self.restarts = 0

    def copy(self) -> MemoryStore:
        other = MemoryStore()
        other.hashes = {key: dict(value) for key, value in self.hashes.items()}
        other.scores = {key: dict(value) for key, value in self.scores.items()}
        other.bits = {key: set(value) for key, value in self.bits.items()}
        other.streams = {key: dict(value) for key, value in self.streams.items()}
        return other

    def restore(self, snapshot: MemoryStore, quietly: bool = False) -> None:
        """The server died and came back with what it had then: every connection is broken.

        Unless `quietly`: what stands between took the connections over.
        """
        other = snapshot.copy()
        self.restarts += not quietly
        self.hashes, self.scores, self.streams = other.hashes, other.scores, other.streams
        self.bits = other.bits

    def apply(self, token: str, commit: Commit) -> bool:
        head = self.hashes.setdefault(keys.head(commit.partition), {})
        if isinstance(commit, Restore):
            return self._restore(token, head, commit)
        if head.get("owner") != token or head.get("commit", 0) != commit.number - 1:
            self.refused += 1
            return False
        for command, key, arguments in commit.writes:
            getattr(self, command.lower())(key, *arguments)
        head.update(commit=commit.number, offset=commit.offset, catalog=commit.catalog)
        if commit.clock_ms is not None:
            head["clock"] = commit.clock_ms
        return True

    def _restore(self, token: str, head: dict[str, Any], restore: Restore) -> bool:
        if head.get("owner") != token:
            return False
        for command, key, arguments in restore.writes:
            getattr(self, command.lower())(key, *arguments)
        for name in head.keys() & {"commit", "offset", "catalog", "clock"}:
            head[name] = int(head[name])  # written as fields like others
        return True

    def unlink(self, key: str) -> None:
        for kind in (self.hashes, self.scores, self.bits, self.streams):
            kind.pop(key, None)

    def hset(self, key: str, *flat: Any) -> None:
        stored = self.hashes.setdefault(key, {})
        stored.update(
            (_text(field), _bytes(value)) for field, value in zip(flat[::2], flat[1::2], strict=True)
        )

    def hdel(self, key: str, *fields: str) -> None:
        for field in fields:
            self.hashes.get(key, {}).pop(field, None)

    def zadd(self, key: str, *flat: Any) -> None:
        pairs = zip(flat[1::2], flat[::2], strict=True)
        self.scores.setdefault(key, {}).update((_text(member), int(score)) for member, score in pairs)

    def zrem(self, key: str, *members: str) -> None:
        for member in members:
            self.scores.get(key, {}).pop(_text(member), None)

    def setbit(self, key: str, place: int, bit: int) -> None:
        stored = self.bits.setdefault(key, set())
        (stored.add if int(bit) else stored.discard)(int(place))

    def bitfield(self, key: str, *flat: Any) -> None:
        for place, bit in zip(flat[2::4], flat[3::4], strict=True):
            self.setbit(key, place, bit)

    def members(self, partition: int, workspace: str, segment: str) -> dict[int, str]:
        """Number → id."""
        few = self.scores.get(keys.members(partition, workspace, segment), {})
        many = self.bits.get(keys.bits(partition, workspace, segment), set())
        assert not (few and many), "a segment is a sorted set or bits"
        ids = self.hashes.get(keys.ids(partition, workspace), {})
        return {number: id_ for id_, number in few.items()} | {
            number: ids[str(number)].decode() for number in many
        }

    def xadd(self, key: str, id_: str, *flat: Any) -> None:
        number = int(id_.split("-", maxsplit=1)[0])
        stream = self.streams.setdefault(key, {})
        assert not stream or number > max(stream), "ids of a stream only grow"
        stream[number] = {field.encode(): value for field, value in zip(flat[::2], flat[1::2], strict=True)}

    def xtrim(self, key: str, _minid: str, id_: str) -> None:
        least = int(id_.split("-", maxsplit=1)[0])
        stream = self.streams.get(key, {})
        for number in [number for number in stream if number < least]:
            del stream[number]


class MemoryShard:
    """`pause` is awaited around every call: where a simulation interleaves, delays and kills."""

    def __init__(self, store: MemoryStore, partition: int, pause: Any = None) -> None:
        self.store = store
        self.partition = partition
        self._pause = pause or _no_pause
        self._last: asyncio.Future[Any] | None = None
        self._opened = store.restarts

    async def open(self) -> None:
        await self._pause()
        self._last = None
        self._opened = self.store.restarts

    async def close(self) -> None:
        if self._last is not None and not self._last.done():
            self._last.cancel()

    async def fence(self) -> tuple[str | None, int]:
        head = await self._now(lambda: dict(self.store.hashes.get(keys.head(self.partition), {})))
        return head.get("owner"), head.get("commit", 0)

    async def claim(self, token: str, topic: str, applied: int = 0, revision: int = 0) -> Head:
        def take() -> Head:
            head = self.store.hashes.setdefault(keys.head(self.partition), {})
            recreated = head.get("topic", topic) != topic
            restoring = "restoring" in head
            foreign = "commit" in head and head.get("states") != _STATES
            head.update(owner=token, topic=topic, claimed=next(_claims))
            if "commit" not in head:
                head["states"] = _STATES
            if "commit" not in head and not restoring:
                head["restoring"] = b"0 0"
            if 0 < head.get("commit", 0) < applied:
                head["again"] = str(revision)
            if recreated:
                head["offset"] = 0
                head.pop("upto", None)
            return Head(
                commit=head.get("commit", 0),
                offset=head.get("offset", 0),
                clock_ms=head.get("clock"),
                catalog=head.get("catalog", -1),
                recreated=recreated,
                restoring=restoring,
                foreign=foreign,
                upto=int(head.get("upto", 0)),
                again=int(head["again"]) if "again" in head else None,
            )

        return await self._now(take)

    def commit(self, token: str, commit: Commit) -> asyncio.Future[bool]:
        return self._now(lambda: self.store.apply(token, commit))

    async def profiles(self, workspace: str, ids: Sequence[str]) -> list[bytes | None]:
        key = keys.profiles(self.partition, workspace)
        return await self._now(lambda: [self.store.hashes.get(key, {}).get(id_) for id_ in ids])

    async def count(self, workspace: str) -> int:
        key = keys.profiles(self.partition, workspace)
        return await self._now(lambda: len(self.store.hashes.get(key, {})))

    async def scan(self, workspace: str, cursor: int, count: int) -> tuple[int, dict[str, bytes]]:
        def page() -> tuple[int, dict[str, bytes]]:
            stored = self.store.hashes.get(keys.profiles(self.partition, workspace), {})
            ids = sorted(stored)[cursor : cursor + count]  # profiles are only added, at any place
            end = cursor + count >= len(stored)
            return (0 if end else cursor + count), {id_: stored[id_] for id_ in ids}

        return await self._now(page)

    async def lot(self, workspace: str) -> str | None:
        key = keys.profiles(self.partition, workspace)
        return await self._now(lambda: next(iter(self.store.hashes.get(key, {})), None))

    async def among(self, workspace: str, id_: str, number: int, segments: Sequence[str]) -> dict[str, bool]:
        return await self._now(
            lambda: {
                each: self.store.members(self.partition, workspace, each).get(number) == id_
                for each in segments
            }
        )

    async def sizes(self, segments: Sequence[tuple[str, str]]) -> list[int]:
        return await self._now(lambda: [len(self.store.members(self.partition, *each)) for each in segments])

    async def members(self, workspace: str, segment: str) -> dict[int, str]:
        return await self._now(lambda: self.store.members(self.partition, workspace, segment))

    async def dues(self, limit: int) -> list[tuple[int, ProfileKey]]:
        key = keys.due(self.partition)
        return await self._now(
            lambda: sorted(
                (due, ProfileKey(member)) for member, due in self.store.scores.get(key, {}).items()
            )[:limit]
        )

    async def fields(self, key: str) -> dict[str, bytes]:
        return await self._now(lambda: dict(self.store.hashes.get(key, {})))

    async def field(self, key: str, name: str) -> bytes | None:
        return await self._now(lambda: self.store.hashes.get(key, {}).get(name))

    async def keys(self) -> list[str]:
        def stored() -> list[str]:
            kinds = (self.store.hashes, self.store.scores, self.store.bits, self.store.streams)
            every = set().union(*kinds)
            head, prefix = keys.head(self.partition), keys.of(self.partition)
            return sorted(key for key in every if key.startswith(prefix) and key != head)

        return await self._now(stored)

    async def outbox(self, to: int, limit: int) -> list[tuple[int, list[Transition]]]:
        def oldest() -> list[tuple[int, list[Transition]]]:
            stream = self.store.streams.get(keys.outbox(self.partition), {})
            return [(number, announced(stream[number][b"t"])) for number in sorted(stream) if number <= to][
                :limit
            ]

        return await self._now(oldest)

    async def trim(self, to: int, in_time: bool = True) -> None:
        await self._now(lambda: self.store.xtrim(keys.outbox(self.partition), "MINID", f"{to + 1}-0"))

    async def handing(self, limit: int) -> list[tuple[int, list[Item]]]:
        def oldest() -> list[tuple[int, list[Item]]]:
            stream = self.store.streams.get(keys.handing(self.partition), {})
            return [(number, decode_items(stream[number][b"h"])) for number in sorted(stream)][:limit]

        return await self._now(oldest)

    async def handed(self, to: int) -> None:
        await self._now(lambda: self.store.xtrim(keys.handing(self.partition), "MINID", f"{to + 1}-0"))

    async def tail(self, after: int, to: int, limit: int) -> list[tuple[int, Entry]]:
        def oldest() -> list[tuple[int, Entry]]:
            stream = self.store.streams.get(keys.tail(self.partition), {})
            numbers = [number for number in sorted(stream) if after < number <= to][:limit]
            return [(number, decode_fields(stream[number])) for number in numbers]

        return await self._now(oldest)

    async def tail_bytes(self) -> int:
        key = keys.tail(self.partition)
        return await self._now(lambda: sum(map(len, self.store.streams.get(key, {}).values())))

    def _now(self, action: Callable[[], T]) -> asyncio.Future[T]:
        """Runs after everything asked for before it, as over one connection. Whoever is cancelled while waiting
        for an answer breaks it for nobody else."""
        self._last = asked = asyncio.ensure_future(self._run(self._last, action))
        asked.add_done_callback(_heard)
        return asyncio.shield(asked)

    async def _run(self, before: asyncio.Future[Any] | None, action: Callable[[], T]) -> T:
        if before is not None:
            await asyncio.wait([before])
            if before.cancelled() or isinstance(before.exception(), Away):
                raise Away("the connection broke")
        await self._pause()
        if self._opened != self.store.restarts:
            raise Away("the connection broke")
        result = action()
        await self._pause()
        return result


def _heard(asked: asyncio.Future[Any]) -> None:
    """Where nobody waits any more, the fault of an answer concerns nobody."""
    if not asked.cancelled():
        asked.exception()


async def _no_pause() -> None:
    await asyncio.sleep(0)


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value
