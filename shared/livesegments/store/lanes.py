"""What notify keeps of a subscription's way through a partition of `memberships`, fenced as commits are.

All of a lane is written by one script call, and only under the token of the last claim of its partition: a
worker that lost the partition without knowing it writes nothing. The values are the callers' own bytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from livesegments.store import keys
from livesegments.store.client import Client
from livesegments.store.commit import RESTORE

CLAIM = """
local old = redis.call('HGET', KEYS[1], 'topic')
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'topic', ARGV[2])
return {old, redis.call('SMEMBERS', KEYS[2])}
"""
MOST_TRIES, MOST_DEAD = 200, 1_000
PAGE = 1_000
_MESSAGE = "m:"


class Claimed(Struct, frozen=True):
    """`recreated`: the topic is another one than at the last claim. `lanes`: those that are kept."""

    recreated: bool
    lanes: frozenset[tuple[str, str]]


class Stored(Struct, frozen=True):
    """A lane as it was saved; `position` None: it never was. `replay`: its number, the next offset, the one
    after the last."""

    position: int | None
    next_number: int
    messages: list[bytes]
    replay: tuple[int, ...]


class LaneWrite(Struct):
    """What one commit of a lane writes; None deletes a stay, or the time at which it is due."""

    position: int
    next_number: int
    puts: Mapping[int, bytes] = {}
    drops: Sequence[int] = ()
    stays: Mapping[str, bytes | None] = {}
    dues: Mapping[str, int | None] = {}
    tries: Sequence[bytes] = ()
    dead: Sequence[bytes] = ()
    replay: tuple[int, ...] = ()


class Lanes:
    """Every call raises Away, and nothing else, when the store can't be reached."""

    def __init__(self, store: Client) -> None:
        self._store: Any = store
        self._claim = store.register_script(CLAIM)
        self._write = store.register_script(RESTORE)

    async def claim(self, partition: int, token: str, topic: str) -> Claimed:
        places = [keys.notify_head(partition), keys.notify_lanes(partition)]
        old, lanes = await self._claim(keys=places, args=[token, topic])
        pairs = (each.decode().partition("/") for each in lanes)
        return Claimed(old is not None and old.decode() != topic, frozenset((w, s) for w, _, s in pairs))

    async def load(self, partition: int, workspace: str, id_: str) -> Stored:
        lane = await self._store.hgetall(keys.notify_lane(partition, workspace, id_))
        fields = {name.decode(): value for name, value in lane.items()}
        return Stored(
            int(fields["at"]) if "at" in fields else None,
            int(fields.get("next", 0)),
            [value for name, value in fields.items() if name.startswith(_MESSAGE)],
            tuple(map(int, fields["replay"].split(b"-"))) if "replay" in fields else (0, 0, 0),
        )

    async def write(self, partition: int, workspace: str, id_: str, token: str, what: LaneWrite) -> bool:
        """False: refused, nothing was written. It may be repeated where its outcome is not known."""
        lane, stays = (
            keys.notify_lane(partition, workspace, id_),
            keys.notify_stays(partition, workspace, id_),
        )
        dues = keys.notify_dues(partition, workspace, id_)
        fields: list[str | bytes | int] = ["at", what.position, "next", what.next_number]
        fields += ("replay", "-".join(map(str, what.replay))) if what.replay else ()
        for number, data in what.puts.items():
            fields += (f"{_MESSAGE}{number}", data)
        kept = [part for key, data in what.stays.items() if data is not None for part in (key, data)]
        scores = [part for key, at in what.dues.items() if at is not None for part in (at, key)]
        calls: list[tuple[str, str, Sequence[str | bytes | int]]] = [
            ("HSET", lane, fields),
            ("HDEL", lane, [f"{_MESSAGE}{number}" for number in what.drops]),
            ("HSET", stays, kept),
            ("HDEL", stays, [key for key, data in what.stays.items() if data is None]),
            ("ZADD", dues, scores),
            ("ZREM", dues, [key for key, at in what.dues.items() if at is None]),
            ("SADD", keys.notify_lanes(partition), [f"{workspace}/{id_}"]),
        ]
        for place, most, added in (
            (keys.notify_tries(partition, workspace, id_), MOST_TRIES, what.tries),
            (keys.notify_dead(partition, workspace, id_), MOST_DEAD, what.dead),
        ):
            calls += [("LPUSH", place, added), ("LTRIM", place, [0, most - 1] if added else [])]
        return await self._call(partition, token, [call for call in calls if call[2]])

    async def forget(self, partition: int, workspace: str, id_: str, token: str) -> bool:
        """All of a lane whose subscription is gone. False: refused."""
        calls: list[tuple[str, str, Sequence[str]]] = [
            ("UNLINK", make(partition, workspace, id_), ())
            for make in (
                keys.notify_lane, keys.notify_stays, keys.notify_dues, keys.notify_tries, keys.notify_dead,
            )
        ]  # fmt: skip
        calls.append(("SREM", keys.notify_lanes(partition), [f"{workspace}/{id_}"]))
        return await self._call(partition, token, calls)

    async def lanes(self, partition: int) -> list[tuple[str, str]]:
        """Workspace and subscription of those that are kept."""
        found = await self._store.smembers(keys.notify_lanes(partition))
        pairs = (each.decode().partition("/") for each in found)
        return sorted((workspace, id_) for workspace, _, id_ in pairs)

    async def dead_of(self, partition: int, workspace: str, id_: str) -> list[bytes]:
        return await self._lists([keys.notify_dead(partition, workspace, id_)])

    async def change_dead(
        self,
        partition: int,
        workspace: str,
        id_: str,
        token: str,
        changed: Iterable[tuple[bytes, bytes | None]],
    ) -> bool:
        """Dead letters, and what takes the place of each; None: nothing. Others may come meanwhile. False:
        refused."""
        place = keys.notify_dead(partition, workspace, id_)
        calls: list[tuple[str, str, Sequence[str | bytes | int]]] = []
        for old, new in changed:
            calls += [("LINSERT", place, ["BEFORE", old, new])] if new is not None else []
            calls.append(("LREM", place, [0, old]))
        return await self._call(partition, token, calls)

    async def stay_keys(self, partition: int, workspace: str, id_: str) -> AsyncIterator[list[str]]:
        """Page by page; one may come twice."""
        place, cursor = keys.notify_stays(partition, workspace, id_), 0
        while True:
            cursor, page = await self._store.hscan(place, cursor, count=PAGE)
            yield [key.decode() for key in page]
            if not cursor:
                return

    async def drop_stays(
        self, partition: int, workspace: str, id_: str, token: str, gone: Sequence[str]
    ) -> bool:
        """False: refused."""
        calls: list[tuple[str, str, Sequence[str | bytes | int]]] = [
            ("HDEL", keys.notify_stays(partition, workspace, id_), gone),
            ("ZREM", keys.notify_dues(partition, workspace, id_), gone),
        ]
        return await self._call(partition, token, calls)

    async def stays(
        self, partition: int, workspace: str, id_: str, wanted: Sequence[str]
    ) -> dict[str, bytes]:
        if not wanted:
            return {}
        found = await self._store.hmget(keys.notify_stays(partition, workspace, id_), wanted)
        return {key: data for key, data in zip(wanted, found, strict=True) if data is not None}

    async def due(
        self, partition: int, workspace: str, id_: str, now_ms: int, most: int
    ) -> tuple[dict[str, bytes], float]:
        """The stays whose time has come, the earliest first, and when the next one's comes (ms; may be
        infinite)."""
        place = keys.notify_dues(partition, workspace, id_)
        found = await self._store.zrangebyscore(place, "-inf", "+inf", start=0, num=most, withscores=True)
        wanted = [key.decode() for key, at in found if at <= now_ms]
        later = [at for _, at in found if at > now_ms]
        full = float(now_ms) if len(found) == most else float("inf")
        return await self.stays(partition, workspace, id_, wanted), min(later, default=full)

    async def disable(self, workspace: str, id_: str, data: bytes) -> None:
        await self._store.hset(keys.NOTIFY_DISABLED, f"{workspace}/{id_}", data)

    async def disabled(self) -> dict[tuple[str, str], bytes]:
        found = await self._store.hgetall(keys.NOTIFY_DISABLED)
        pairs = ((name.decode().partition("/"), data) for name, data in found.items())
        return {(workspace, id_): data for (workspace, _, id_), data in pairs}

    async def tries(self, partitions: int, workspace: str, id_: str) -> list[bytes]:
        """The newest attempts of every partition."""
        places = [keys.notify_tries(each, workspace, id_) for each in range(partitions)]
        return await self._lists(places)

    async def dead(self, partitions: int, workspace: str, id_: str) -> list[bytes]:
        places = [keys.notify_dead(each, workspace, id_) for each in range(partitions)]
        return await self._lists(places)

    async def _lists(self, places: Iterable[str]) -> list[bytes]:
        async with self._store.pipeline(transaction=False) as pipe:
            for place in places:
                pipe.lrange(place, 0, -1)
            return [each for found in await pipe.execute() for each in found]

    async def _call(
        self, partition: int, token: str, calls: Sequence[tuple[str, str, Sequence[str | bytes | int]]]
    ) -> bool:
        places = {keys.notify_head(partition): 1}
        arguments: list[str | bytes | int] = [token]
        for command, place, given in calls:
            arguments += (command, places.setdefault(place, len(places) + 1), len(given), *given)
        return bool(await self._write(keys=list(places), args=arguments))
