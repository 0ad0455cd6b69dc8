"""The course of the lag: a ring of an hour."""

from __future__ import annotations

from livesegments.store import keys
from livesegments.store.client import connect
from livesegments.store.course import SLOTS, STEP_MS, Course, Point, slot_of

T = 1_700_000_010_000


def seen(at_ms: int, due: int, records: int = 0) -> Point:
    return Point(slot_of(at_ms), records, due, outbox=0, recounts=0, inbound=0)


def test_of_several_looks_within_a_slot_the_most_is_kept() -> None:
    first, then = seen(T + 2_000, 900), seen(T + 14_999, 5, records=7)
    assert first.at_ms == then.at_ms == T
    assert then.most(first) == Point(T, 7, 900, 0, 0, 0)
    later = seen(T + 15_000, 3)
    assert later.at_ms == first.at_ms + STEP_MS
    assert later.most(first) == first.most(later) == later


async def test_the_hour_is_read_in_order_and_never_grows(clean_redis: str) -> None:
    async with connect(clean_redis) as redis:
        course = Course(redis)
        instants = [T + number * STEP_MS for number in range(SLOTS + 3)]
        for at_ms in instants:
            await course.put(seen(at_ms, 1))
        assert [each.at_ms for each in await course.read(instants[-1] + 9)] == instants[3:]
        assert await redis.hlen(keys.LAG_COURSE) == SLOTS
        assert await course.read(instants[-1] + 3_600_000) == []
