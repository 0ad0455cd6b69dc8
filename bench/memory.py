"""Bytes of Redis that one profile takes, with 10 facts and 20 memberships, written by the real commit."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from redis.asyncio import Redis

from livesegments.core.definition import Node
from livesegments.core.event import Event
from livesegments.core.plan import Segment, compile
from livesegments.core.profile import encode
from livesegments.core.step import on_event
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.shard import RedisShard
from livesegments.wire.profilekey import profile_key

FACTS, MEMBERSHIPS, PROFILES, CHUNK = 10, 20, 20_000, 500


class Bytes(NamedTuple):
    """Of a profile. `all_in`: the difference of used_memory over the number of profiles; the others are parts of
    it, by the sizes of their keys."""

    all_in: float
    state: float
    members: float
    ids: float
    due: float


async def run(running: Stack) -> Bytes:
    async with Redis.from_url(running.redis) as redis:
        await redis.flushall()
        empty: int = (await redis.info("memory"))["used_memory"]
        await _write(running)
        used: int = (await redis.info("memory"))["used_memory"]
        parts = dict.fromkeys(("profiles", "members", "bits", "ids", "due"), 0)
        for key in [key async for key in redis.scan_iter()]:
            kind = key.decode().split(":")[1]
            if kind in parts:
                parts[kind] += await redis.memory_usage(key, samples=0) or 0
        await redis.flushall()
    state, few, many, ids, due = (part / PROFILES for part in parts.values())
    return Bytes((used - empty) / PROFILES, state, few + many, ids, due)


async def _write(running: Stack) -> None:
    segments = []
    for index in range(MEMBERSHIPS):
        node = {
            "type": "event",
            "name": f"event-{index % FACTS}",
            "window": {"last": f"{30 + index // FACTS}d"},
        }
        segments.append(Segment(f"segment-{index:04}", 1, 1, msgspec.convert(node, Node)))
    # two windows of one event are two facts, so half the names feed two each
    plan = compile("bench", "UTC", segments[:FACTS] + [
        Segment(segment.id, 1, 1, msgspec.convert({"type": "segment", "id": segments[index].id}, Node))
        for index, segment in enumerate(segments[FACTS:])
    ], 1)  # fmt: skip
    shard = RedisShard(running.redis, 0)
    await shard.open()
    try:
        head = await shard.claim("bench", "bench")
        number = head.commit
        for start in range(0, PROFILES, CHUNK):
            number += 1
            commit = Commit(0, number, 0, None, 1)
            states: dict[str, str | bytes] = {}
            ids: dict[str, str | bytes] = {}
            dues: dict[str, int] = {}
            for index in range(start, start + CHUNK):
                name, profile = f"profile-{index:08}", None
                for fact in range(FACTS):
                    at = 1_700_000_000_000 + index * 1_000 + fact
                    event = Event(f"{index}-{fact}", "bench", name, f"event-{fact}", at)
                    step = on_event(plan, profile, event, at)
                    profile = step.profile
                assert profile is not None and step.wake_at is not None
                assert len(profile.facts) == FACTS and len(profile.memberships) == MEMBERSHIPS
                profile.number = index + 1
                states[name], ids[str(index + 1)] = encode(profile), name
                dues[profile_key("bench", name)] = step.wake_at
            commit.put_fields(keys.profiles(0, "bench"), states)
            commit.score(keys.due(0), dues)
            commit.put_fields(keys.ids(0, "bench"), ids)
            for segment in plan.segments:
                commit.set_bits(keys.bits(0, "bench", segment), dict.fromkeys(map(int, ids), True))
            applied = await shard.commit("bench", commit)
            assert applied
    finally:
        await shard.close()
