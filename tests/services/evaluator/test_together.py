"""Records that wait are applied together, and nothing else changes by it."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from random import Random
from typing import Any, TypeAlias

import msgspec
import pytest

from livesegments.core.definition import Node
from livesegments.core.event import MERGE, PROFILE, Event
from livesegments.core.handed import Handed
from livesegments.core.plan import Segment, compile
from livesegments.core.profile import decode, encode
from livesegments.evaluator.commits.partition import Partition
from livesegments.evaluator.commits.together import MOST, Together, together
from livesegments.evaluator.kernel import native
from livesegments.evaluator.kernel.share import Share
from livesegments.evaluator.ports import Received
from livesegments.store import handing, keys
from livesegments.store.commit import Commit
from livesegments.store.handing import Leaving
from livesegments.store.shard import Head
from livesegments.store.tail import Applied, applied, decode_fields
from livesegments.wire import pack
from livesegments.wire.profilekey import ProfileKey, profile_key

NODE = {
    "type": "all",
    "of": [
        {"type": "event", "name": "seen", "value": 2, "window": {"last": "1h"}},
        {"type": "attribute", "name": "city", "op": "eq", "value": "Paris"},
    ],
}
Told: TypeAlias = tuple[list[Any], list[Any], list[Any]]
"""Transitions, (id, instant) of every event as history has it, and what merged profiles hand over."""
BEGUN_MS, HOUR_MS = 1_750_000_000_000, 3_600_000


def _received(offset: int, events: Sequence[Event], stamp_ms: int = BEGUN_MS) -> Received:
    return Received(offset, stamp_ms, pack.encode(pack.Packed(events)), lambda: None)


def _events(random: Random, count: int, id_: str, at_ms: int) -> list[Event]:
    found = []
    for number in range(count):
        profile, time_ms = f"p{random.randrange(6)}", at_ms - random.randrange(2 * HOUR_MS)
        if random.random() < 0.3:
            city = random.choice(("Paris", "Rome"))
            found.append(
                Event(f"{id_}-{number}", "w", profile, PROFILE, time_ms, {"attributes": {"city": city}})
            )
        elif random.random() < 0.05:
            found.append(Event(f"{id_}-{number}", "w", profile, MERGE, time_ms, {"into": "other"}))
        else:
            workspace = "w" if random.random() < 0.9 else "nowhere"
            found.append(Event(f"{id_}-{number % 7}", workspace, profile, "seen", time_ms, {}))
    return found


def _read(data: bytes) -> Sequence[Event] | None:
    found = pack.decode(data)
    return found.events if isinstance(found, pack.Packed) else None


@pytest.mark.parametrize("count", [1, 15, 16, 300])
def test_joined_records_have_the_events_of_all(count: int) -> None:
    random = Random(count)
    lists = [_events(random, count, "a", BEGUN_MS), _events(random, 3, "b", BEGUN_MS)]
    records = [pack.encode(pack.Packed(events)) for events in lists]
    assert [pack.count_of(each) for each in records] == [count, 3]
    assert pack.encode(pack.decode(pack.joined(records))) == pack.encode(pack.Packed(lists[0] + lists[1]))
    assert pack.count_of(pack.encode(pack.Clock(5))) is None
    assert pack.count_of(records[0][:3]) is None


def test_it_ends_before_a_record_that_goes_alone() -> None:
    random = Random(1)
    few = [_received(at, _events(random, 3, str(at), BEGUN_MS)) for at in range(10)]
    clock = Received(2, BEGUN_MS, pack.encode(pack.Clock(5)), lambda: None)
    unread = Received(2, BEGUN_MS, b"", lambda: None, unread="too large")
    for third in (clock, unread, few[5], _received(2, []), _received(2, _events(random, 495, "x", BEGUN_MS))):
        found = together([*few[:2], third, few[3]], _read)
        assert found is not None and [each.offset for each in found.records] == [0, 1]
    assert together([clock, few[3]], _read) is None
    many = [_received(at, _events(random, 1, "y", BEGUN_MS)) for at in range(300)]
    whole = together(many, _read)
    assert whole is not None and len(whole.records) == MOST
    assert whole.whose(7) == (whole.records[7], 0)
    assert together(few, lambda _: None) is None


@pytest.mark.skipif(not native.BUILT, reason="no kernel: make setup builds it where cargo is on PATH")
def test_the_kernel_reads_what_is_joined() -> None:
    records = [_received(at, _events(Random(at), 3, str(at), BEGUN_MS)) for at in range(3)]
    found = together(records, Share.read)
    assert found is not None and len(found.events) == 9


@pytest.mark.parametrize("natively", [False, True] if native.BUILT else [False])
@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_same_as_one_after_the_other(seed: int, live: bool, natively: bool) -> None:
    """Transitions with their instants, states, and what history says of when every event was applied."""
    random = Random(seed)
    rounds = []
    offset, at_ms = 0, BEGUN_MS
    for _ in range(12):
        waiting = []
        for _ in range(random.randrange(2, 6)):
            at_ms += random.randrange(HOUR_MS)
            waiting.append(
                _received(offset, _events(random, random.randrange(1, 12), str(offset), at_ms), at_ms)
            )
            offset += 1
        rounds.append(waiting)
    one, other = _partition(natively), _partition(natively)
    for waiting in rounds:
        alone: Told = ([], [], [])
        for record in waiting:
            events = _read(record.value)
            assert events is not None
            _apply(one, events, record, live, alone)
        found = together(waiting, _read)
        assert found is not None and len(found.records) == len(waiting)
        joint: Told = ([], [], [])
        _apply(other, found.events, found, live, joint)
        for had, has in zip(alone, joint, strict=True):  # profiles know nothing of each other
            assert sorted(has, key=itemgetter(0)) == sorted(had, key=itemgetter(0))
        assert (one.clock_ms, one.offset) == (other.clock_ms, other.offset)
    keys_ = [profile_key("w", f"p{number}") for number in range(6)]
    assert [_state(one, key) for key in keys_] == [_state(other, key) for key in keys_]


def _state(of: Partition, key: ProfileKey) -> bytes:
    """Without its number, and that of the commit by which it went."""
    state = of.cache.get(key)
    profile = decode(state) if state else None
    if profile is None:
        return b""
    profile.number = 0
    if profile.kin is not None:
        profile.kin.since = 0
    return encode(profile)


def _partition(natively: bool) -> Partition:
    made = Partition(0, Head(0, 0, None, 0), 1_000_000, 20_000, native.Kernels() if natively else None)
    made.dues.load([], complete=True)
    made.plans["w"] = compile("w", "UTC", [Segment("s", 1, 1, msgspec.convert(NODE, Node))], 1)
    made.since["w"], made.walked["w"] = dict.fromkeys(made.plans["w"].fact_ids, 1), 1
    for number in range(6):
        made.give(profile_key("w", f"p{number}"), None)
    return made


def _apply(
    made: Partition,
    events: Sequence[Event],
    of: Received | Together[Sequence[Event]],
    live: bool,
    into: Told,
) -> None:
    starts: Sequence[int] = ()
    stamps: Sequence[tuple[int, int]] = ()
    records: Sequence[Received] = ()
    if isinstance(of, Received):
        records = [of]
    else:
        records, starts, stamps = of.records, of.starts, of.stamps
    stamp_ms = records[0].stamp_ms if live else None
    upto = records[-1].offset + 1
    outcome = made.apply(events, stamp_ms, upto, of.value, True, starts, stamps if live else ())
    into[0].extend((each.profile, each.kind, each.at_ms, each.event_id) for each in outcome.transitions)
    into[1].extend((each.event.profile, each.event.id, each.at_ms) for each in _history(outcome.commit))
    into[2].extend(_handed(outcome.commit))


def _handed(commit: Commit) -> list[Any]:
    """(profile that is gone, its item)."""
    found = list[Any]()
    for write in commit.writes:
        if write.key == keys.handing(0):
            items = write.arguments[2]
            assert isinstance(items, bytes)
            for each in handing.decode(items):
                assert isinstance(each, Handed | Leaving)
                found.append((each.sender if isinstance(each, Handed) else each.profile, each))
    return found


def _history(commit: Commit) -> list[Applied]:
    """What the tail has of it, as the archive reads it."""
    found = list[Applied]()
    for write in commit.writes:
        if write.key == keys.tail(0):
            flat = [each if isinstance(each, bytes) else str(each).encode() for each in write.arguments[1:]]
            entry = decode_fields(dict(zip(flat[::2], flat[1::2], strict=True)))
            found += applied(commit.number, entry)
    return found
