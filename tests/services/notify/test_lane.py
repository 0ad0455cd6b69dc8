"""A lane against slow twins: what is heard, in which order, under which ids; with crashes, failures, a clock
that jumps."""

from __future__ import annotations

import random
from collections import defaultdict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesegments.core.event import Transition
from livesegments.notify.backoff import SCHEDULE_S, pause_ms
from livesegments.notify.lane import Lane, Read, Saved, key_of
from livesegments.notify.queue import MOST, Message, Queue
from livesegments.notify.stays import Stay
from livesegments.wire.subscription import Subscription

HOUR = 3_600_000


def rule(**fields: object) -> Subscription:
    return msgspec.structs.replace(Subscription("w", "s", "S", 1, 0, 0, (0,)), **fields)


def story(draw: random.Random, many: int, profiles: int = 4) -> list[Transition]:
    """Profiles that enter and exit two segments by turns, at instants that never go back."""
    sequences: dict[tuple[str, str], int] = defaultdict(int)
    at_ms, found = 0, []
    for number in range(many):
        at_ms += draw.choice((0, 1_000, HOUR // 2, HOUR, 3 * HOUR))
        segment, profile = draw.choice("ab"), f"p{draw.randrange(profiles)}"
        sequences[segment, profile] += 1
        sequence = sequences[segment, profile]
        kind = "entered" if sequence % 2 else "exited"
        cause = draw.choice(("event", "event", "backfill"))
        found.append(Transition(f"id{number}", "w", segment, profile, kind, at_ms, sequence, cause, None, 1))  # type: ignore[arg-type]
    return found


def expected(asked: Subscription, told: list[Transition]) -> list[str]:
    """The slow twin of stays: one profile and segment at a time, over all that was announced; by the clock of the
    story's end plus a dwell."""
    heard = []
    for key in {key_of(each) for each in told}:
        last_ms, entry_heard = None, True
        for each in (one for one in told if key_of(one) == key):
            if each.kind == "entered":
                after = [one for one in told if key_of(one) == key and one.sequence == each.sequence + 1]
                wanted = each.cause != "backfill"
                stayed = not asked.dwell_ms or not after or after[0].at_ms >= each.at_ms + asked.dwell_ms
                cool = last_ms is None or each.at_ms >= last_ms + asked.cooldown_ms
                entry_heard = (stayed and cool) or not wanted
                if wanted and stayed and cool:
                    last_ms = each.at_ms
                    heard.append(each.id)
            elif entry_heard and each.cause != "backfill":
                heard.append(each.id)
    return sorted(heard)


@given(
    st.integers(0, 1 << 30), st.sampled_from((0, HOUR, 2 * HOUR)), st.sampled_from((0, 2 * HOUR, 24 * HOUR))
)
def test_what_is_heard_is_as_the_slow_twin_says(seed: int, dwell_ms: int, cooldown_ms: int) -> None:
    told = story(random.Random(seed), 40)
    asked = rule(dwell_ms=dwell_ms, cooldown_ms=cooldown_ms)
    lane, known = Lane(asked, Saved(0)), dict[str, Stay]()
    for offset, each in enumerate(told):
        for _ in range(2):  # fired before it is read, at the instant of it, in several goes
            lane.fire(dict(known), each.at_ms)
            keep(lane, known)
        lane.take([Read(offset, each), Read(offset, each)], known, each.at_ms)
        keep(lane, known)
    lane.fire(dict(known), told[-1].at_ms + dwell_ms)
    heard = [each.id for message in lane.queue.messages.values() for each in message.transitions]
    assert sorted(heard) == expected(asked, told)


def keep(lane: Lane, known: dict[str, Stay], messages: dict[int, Message] | None = None) -> Saved | None:
    changes = lane.changes()
    if changes is None:
        return None
    for key, stay in changes.stays.items():
        known.pop(key, None)
        if stay is not None:
            known[key] = msgspec.msgpack.decode(msgspec.msgpack.encode(stay), type=Stay)
    if messages is not None:
        copies = msgspec.msgpack.decode(msgspec.msgpack.encode(changes.puts), type=dict[int, Message])
        messages.update(copies)
        for number in changes.drops:
            del messages[number]
    lane.saved(changes)
    return Saved(changes.position, changes.next_number)


@given(st.integers(0, 1 << 30), st.sampled_from(((1, 0), (3, 5_000), (5, 0))))
def test_nothing_is_lost_and_order_and_ids_hold_whatever_fails(seed: int, batch: tuple[int, int]) -> None:
    """The sender crashes and begins from what was saved; attempts fail; the clock jumps in both directions."""
    draw = random.Random(seed)
    told = [each for each in story(draw, 60) if each.cause != "backfill"]
    records = [Read(offset, each) for offset, each in enumerate(told)]
    asked = rule(batch=batch[0], batch_ms=batch[1])
    saved, messages = Saved(0), dict[int, Message]()
    heard: list[str] = []
    contents: dict[str, list[str]] = {}
    sent: dict[str, str] = {}
    now_ms, lane, under_way = 10 * HOUR, Lane(asked, saved), list[Message]()
    for step in range(3_000):
        now_ms += draw.choice((0, 10, 1_000, 5_000, 60_000, -30_000))
        calm = step > 400
        match draw.randrange(6):
            case 0:
                lane.take(records[lane.position : lane.position + draw.randrange(1, 9)], {}, now_ms)
            case 1:
                saved = keep(lane, {}, messages) or saved
            case 2:
                under_way += lane.queue.ready(now_ms, draw.randrange(1, 6))
            case 3 if not calm and draw.random() < 0.2:
                copies = msgspec.msgpack.decode(msgspec.msgpack.encode(messages), type=dict[int, Message])
                saved = Saved(saved.position, saved.next_number, tuple(copies.values()))
                lane, under_way = Lane(asked, saved), []
            case _ if under_way:
                message = under_way.pop(draw.randrange(len(under_way)))
                ids = [each.id for each in message.transitions]
                assert contents.setdefault(message.id, ids) == ids
                for each in ids:
                    assert sent.setdefault(each, message.id) == message.id
                if calm or draw.random() < 0.4:
                    heard += ids
                    lane.queue.delivered(message.number, now_ms)
                else:
                    assert lane.queue.failed(message.number, now_ms) is None or now_ms > 100 * HOUR
        if calm and draw.random() < 0.05:
            now_ms += 24 * HOUR
        if lane.position == len(records) and not lane.queue.messages:
            break
    firsts = list(dict.fromkeys(heard))
    assert sorted(firsts) == sorted(each.id for each in told)
    place = {each: at for at, each in enumerate(firsts)}
    for profile in {each.profile for each in told}:
        order = [place[each.id] for each in told if each.profile == profile]
        assert order == sorted(order)


def message(number: int, profile: str = "") -> Transition:
    return Transition(f"id{number}", "w", "a", profile or f"p{number}", "entered", 0, 1, "event", None, 1)


def test_the_schedule_is_the_specifications_and_ends_in_a_dead_letter() -> None:
    queue, now_ms, pauses = Queue(1, 0, 0), 0, []
    queue.add([message(0)], 0)
    for _ in range(9):
        assert [each.number for each in queue.ready(now_ms, 5)] == [0]
        assert queue.failed(0, now_ms) is None
        queue.down = False  # the message alone, not its receiver
        wakes_ms = queue.wakes_ms(now_ms)
        assert wakes_ms is not None and queue.ready(wakes_ms - 1, 5) == []
        pauses.append(wakes_ms - now_ms)
        now_ms = wakes_ms
    for pause, planned in zip(pauses, SCHEDULE_S[1:], strict=True):
        assert planned <= pause / 1_000 < planned * 1.1
    queue.ready(now_ms, 5)
    dead = queue.failed(0, now_ms)
    assert dead is not None and dead.failures == len(SCHEDULE_S) and not queue.messages
    assert pause_ms("x", 1, asked_s=120) == 120_000


def test_a_receiver_that_was_down_for_an_hour_hears_all_at_once_when_it_is_back() -> None:
    queue, now_ms, attempts = Queue(1, 0, 0), 0, 0
    queue.add([message(each) for each in range(MOST)], 0)
    assert queue.room == 0
    while now_ms < HOUR:
        for each in queue.ready(now_ms, 32):
            attempts += 1
            queue.failed(each.number, now_ms)
        now_ms = max(queue.wakes_ms(now_ms) or 0, now_ms + 1_000)
    assert queue.down and attempts < 300
    (probe,) = queue.ready(now_ms, 32)
    queue.delivered(probe.number, now_ms)
    rest = queue.ready(now_ms, MOST)
    assert len(rest) == MOST - 1


@pytest.mark.parametrize("batch", [1, 4])
def test_one_poisoned_message_holds_up_its_own_profile_alone(batch: int) -> None:
    queue = Queue(batch, 0, 0)
    queue.add([message(0, "ann"), *[message(each, f"q{each}") for each in range(1, batch)]], 0)
    queue.add([message(10 + each, "ann" if each == 0 else f"r{each}") for each in range(batch)], 0)
    queue.add([message(20 + each) for each in range(batch)], 0)
    queue.saved(*queue.changes())
    first = {each.number for each in queue.ready(0, 9)}
    assert first == {0, 2}
    queue.failed(0, 0)
    queue.delivered(2, 0)
    assert queue.ready(0, 9) == []
