"""A fault of ours, planted in the process of an evaluator: an event, a due time and a plan meet it. Then comes
one without the fault."""

from __future__ import annotations

import base64
import sys

import msgspec

from livesegments.core.event import Event
from livesegments.store import degraded, keys
from livesegments.wire import pack
from livesegments.wire.rejected import INTERNAL_FAULT, Record
from livesegments.wire.topics import EVENTS, REJECTED, partition_of
from tests.services.evaluator.rig import PARTITIONS, Evaluator, Rig

HOUR = 3_600_000
ACTIVE = '{"type":"event","name":"a","window":{"last":"1h"},"value":1}'
PLANTED = """
from livesegments.core import plan
from livesegments.core.count import CountSliding
from livesegments.evaluator import app
added, next_ms, compiled = CountSliding.added, CountSliding.value, plan.compile
def on_event(self, state, event, *rest):
    if event.properties.get("bomb"):
        raise OverflowError("planted")
    return added(self, state, event, *rest)
def on_clock(self, state, now_ms):
    if state is not None and now_ms >= 3_600_000:
        raise OverflowError("planted")
    return next_ms(self, state, now_ms)
def compiling(workspace, timezone, segments, *rest, **named):
    segments = list(segments)
    if any(each.id == "bomb" for each in segments):
        raise OverflowError("planted")
    return compiled(workspace, timezone, segments, *rest, **named)
CountSliding.added, CountSliding.value, plan.compile = on_event, on_clock, compiling
app.main()
"""


async def test_what_meets_a_fault_is_set_aside_and_made_good_without_it(evaluation: Rig) -> None:
    await evaluation.workspace()
    await evaluation.segment("active", ACTIVE)
    faulty = Evaluator(evaluation.stack, evaluation.folder / "faulty.log", "log")
    faulty.child.command = [sys.executable, "-c", PLANTED]
    faulty.child.start()
    evaluation.evaluators.append(faulty)
    await evaluation.send([Event(f"{p}.1", "w", p, "a", 0, {}) for p in ("p1", "p2")])
    await evaluation.send(
        [Event("bomb", "w", "p3", "a", 1, {"bomb": True}), Event("p4.1", "w", "p4", "a", 1, {})]
    )
    await evaluation.settled()
    assert await evaluation.members("active") == {"p1", "p2", "p4"}
    await evaluation.segment("bomb", ACTIVE)
    await evaluation.clock(2 * HOUR)
    await evaluation.until(lambda: _is(evaluation, events=1, dues=3, planned=False))
    assert await evaluation.members("active") == {"p1", "p2", "p4"}, "their window could not close"
    aside = await _set_aside(evaluation)
    assert sorted(event.profile for event in aside) == ["p1", "p2", "p3", "p4"]

    await faulty.child.stop()
    evaluation.start()
    await evaluation.until(lambda: _is(evaluation, events=1, dues=0, planned=True))
    for event in aside:  # as the api replays them
        partition = partition_of("w", event.profile, PARTITIONS)
        await evaluation.producer.send_and_wait(
            EVENTS, pack.encode(pack.Packed([event])), partition=partition
        )
    await evaluation.until(lambda: _is(evaluation, events=0, dues=0, planned=True))
    await evaluation.send([Event("p5.1", "w", "p5", "a", 2 * HOUR, {})])
    await evaluation.settled()
    for segment in ("active", "bomb"):
        assert await evaluation.members(segment) == {"p5"}


async def _is(evaluation: Rig, events: int, dues: int, planned: bool) -> bool:
    stored = [await evaluation.redis.hget(keys.degraded(each), "w") for each in range(PARTITIONS)]
    whole = degraded.aggregate(degraded.decode(each) for each in stored if each is not None)
    whole = whole or degraded.Degraded()
    return (whole.events, whole.dues, whole.plan is None) == (events, dues, planned)


async def _set_aside(evaluation: Rig) -> list[Event]:
    found: list[Event] = []
    for record in await evaluation.records(REJECTED, 1):
        rejected = msgspec.json.decode(record.value, type=Record)
        assert [fault.code for fault in rejected.faults] == [INTERNAL_FAULT]
        content = pack.decode(base64.b64decode(rejected.raw))
        assert isinstance(content, pack.Packed)
        found += content.events
    return found
