"""What a fault of ours kept back is made good once the fault is mended: by a replay, or by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from livesegments.core.count import CountSliding
from livesegments.core.event import Event
from livesegments.core.plan import Plan, compile
from livesegments.store import degraded, keys
from livesegments.wire import pack
from tests.delivery import check_delivery
from tests.simulation.faults import FAULTS, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.reference import Reference
from tests.simulation.story import MINUTE, plan_of, segment
from tests.simulation.world import START_MS, World

HOUR = 60 * MINUTE
NEXT_MS = CountSliding.next_ms
ACTIVE = '{"type":"event","name":"a","window":{"last":"1h"},"value":2}'
QUIET = '{"type":"not","of":{"type":"event","name":"a","window":{"last":"1h"}}}'
LEFT = '{"type":"sequence","steps":[{"name":"a"},{"name":"b","absent":true}],"within":"20m"}'
BEFORE = {"active": ACTIVE, "left": LEFT}


class Fault:
    """Until it is mended: an event with a bomb raises, and the clock for whoever has a count."""

    mended = False


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> Fault:
    planted = Fault()
    added, next_ms = CountSliding.added, CountSliding.next_ms

    def on_event(self: Any, state: Any, event: Event, *rest: Any) -> Any:
        found = added(self, state, event, *rest)
        if not planted.mended and event.properties.get("bomb"):
            raise OverflowError("planted")
        return found

    def on_clock(self: Any, *rest: Any) -> Any:
        if not planted.mended:
            raise OverflowError("planted")
        return next_ms(self, *rest)

    monkeypatch.setattr(CountSliding, "added", on_event)
    monkeypatch.setattr(CountSliding, "next_ms", on_clock)
    return planted


def edited(revision: int, **more: str) -> Plan:
    """One more segment, by a fact that is there already, so nothing is filled."""
    segments = [segment(id_, each) for id_, each in BEFORE.items()]
    segments += [segment(id_, each, revision) for id_, each in more.items()]
    return compile("w", "Europe/Paris", segments, revision)


def stored(world: World) -> degraded.Degraded:
    data = world.store.hashes.get(keys.degraded(0), {}).get("w")
    return degraded.Degraded() if data is None else degraded.decode(data)


def packed(number: int, names: dict[str, str], bomb: bool = False) -> pack.Packed:
    """An event of each profile, `number` times ten minutes after the start; perhaps one more with a bomb."""
    at = START_MS + number * 10 * MINUTE
    events = [Event(f"{p}.{number}", "w", p, name, at, {}) for p, name in names.items()]
    if bomb:
        events.insert(1, Event(f"bomb.{number}", "w", "p2", "a", at, {"bomb": True}))
    return pack.Packed(tuple(events))


def replay(world: World) -> None:
    """As the api does it with each record of topic `rejected`."""
    for each in list(world.rejected):
        content = pack.decode(each.raw)
        assert isinstance(content, pack.Packed) and len(content.events) == 1
        world.append(0, each.raw)


async def until_well(world: World) -> None:
    async with asyncio.timeout(60):
        while stored(world) != degraded.Degraded():  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # of the simulation's time


def reference(plan: Plan, world: World) -> Reference:
    """All that is in the log, once, without faults."""
    expected = Reference({"w": plan})
    for _, value in world.logs[0]:
        match pack.decode(value):
            case pack.Packed(events):
                expected.apply(events)
            case pack.Clock(to_ms):
                expected.move(to_ms)
    return expected


@pytest.mark.parametrize("seed", range(6))
def test_after_the_fault_all_is_as_if_there_had_been_none(seed: int, fault: Fault) -> None:
    """Events, due times and a change of definitions are set aside, whatever dies; then the fault is mended."""

    async def main() -> None:
        world = World(seed, 1)
        world.native = False  # faults are forced in the interpreted core
        world.publish_plans({"w": plan_of(BEFORE)}, 1)
        cluster = Cluster(world)
        names = {"p1": "a", "p2": "a", "p3": "b", "p4": "a"}
        for number in range(4):
            world.append(0, pack.encode(packed(number, names, bomb=True)))
        await cluster.strike(FAULTS)
        world.append(0, pack.encode(pack.Clock(START_MS + 3 * HOUR)))
        await cluster.settle()
        assert stored(world).events == 4 and stored(world).dues == 3
        await cluster.strike(FAULTS)
        after = edited(2, quiet=QUIET)
        world.publish_plans({"w": after}, 2)
        await cluster.settle()
        for number in range(20, 24):
            world.append(0, pack.encode(packed(number, names)))
        await cluster.strike(FAULTS)
        await cluster.settle()
        assert stored(world).dues == 3 and stored(world).events >= 4
        fault.mended = True
        replay(world)
        await cluster.strike(FAULTS)
        await cluster.settle()
        await until_well(world)
        world.append(0, pack.encode(pack.Clock(START_MS + (4 + seed % 3) * HOUR)))
        await cluster.settle()
        await cluster.stop()
        check_delivery(world.announced[0])
        assert stored_members(world, 0) == reference(after, world).members()

    run(main())


def touched(world: World) -> None:
    world.append(0, pack.encode(packed(30, {"p1": "other", "p2": "other"})))


def replayed(world: World) -> None:
    replay(world)


def changed(world: World) -> None:
    world.publish_plans({"w": edited(3, more=ACTIVE)}, 3)


def restarted(world: World) -> None:
    """Every worker is a new one below."""


@pytest.mark.parametrize("again", [touched, replayed, changed, restarted])
@pytest.mark.parametrize("what", ["due", "definition"])
def test_what_is_owed_is_made_good(what: str, again: Callable[[World], None], fault: Fault) -> None:
    async def main() -> None:
        world = World(1, 1)
        world.native = False  # faults are forced in the interpreted core
        world.publish_plans({"w": plan_of(BEFORE)}, 1)
        cluster = Cluster(world)
        for number in range(2):
            world.append(0, pack.encode(packed(number, {"p1": "a", "p2": "a"})))
        await cluster.settle()
        if what == "due":
            world.append(0, pack.encode(pack.Clock(START_MS + 3 * HOUR)))
        else:
            world.publish_plans({"w": edited(2, quiet=QUIET)}, 2)
        await cluster.settle()
        state = stored(world)
        assert (state.events, state.dues, state.definitions) == (0, 2 * (what == "due"), 2 * (what != "due"))
        assert len(world.rejected) == 2
        fault.mended = True
        again(world)
        if again is restarted:
            await cluster.stop()
            cluster = Cluster(world)
        await cluster.settle()
        await until_well(world)
        world.append(0, pack.encode(pack.Clock(START_MS + 4 * HOUR)))
        await cluster.settle()
        await cluster.stop()
        assert len(world.rejected) == 2
        assert stored_members(world, 0) == reference(world.plans["w"], world).members()
        if what == "due":
            assert {each.cause for each in world.announced[0] if each.kind == "exited"} >= {"repair"}

    run(main())


@pytest.mark.parametrize("again", [replayed, changed, restarted])
def test_history_that_could_not_be_given_is_counted_anew(
    again: Callable[[World], None], fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new segment has a new fact, and a bomb in its history is met by all that fill it."""

    def bombed(method: Any, place: int) -> Any:
        def planted(self: Any, *given: Any) -> Any:
            events = given[place] if isinstance(given[place], list) else [given[place]]
            if not fault.mended and any(each.properties.get("bomb") for each in events):
                raise OverflowError("planted")
            return method(self, *given)

        return planted

    async def main() -> None:
        world = World(2, 1)
        world.native = False  # faults are forced in the interpreted core
        world.publish_plans({"w": plan_of({"left": LEFT})}, 1)
        cluster = Cluster(world)
        for number in range(2):
            world.append(0, pack.encode(packed(number, {"p1": "a", "p2": "a", "p3": "a"}, bomb=number == 1)))
        await cluster.settle()
        both = [segment("left", LEFT), segment("active", ACTIVE, 2)]
        world.publish_plans({"w": compile("w", "Europe/Paris", both, 2)}, 2)
        await cluster.settle()
        state = stored(world)
        assert (state.events, state.dues, state.definitions) == (0, 0, 1)
        assert stored_members(world, 0)["w", "active"] == {"p1", "p3"}
        fault.mended = True
        again(world)
        if again is restarted:
            await cluster.stop()
            cluster = Cluster(world)
        await cluster.settle()
        await until_well(world)
        assert stored_members(world, 0) == reference(world.plans["w"], world).members()
        assert stored_members(world, 0)["w", "active"] == {"p1", "p2", "p3"}
        await cluster.stop()

    monkeypatch.setattr(CountSliding, "next_ms", NEXT_MS)
    monkeypatch.setattr(CountSliding, "add", bombed(CountSliding.add, 1))
    monkeypatch.setattr(CountSliding, "of_all", bombed(CountSliding.of_all, 0))
    run(main())


def test_what_an_earlier_version_counted_without_noting_whom_it_concerns_is_cleared() -> None:
    async def main() -> None:
        world = World(0, 1)
        world.native = False  # faults are forced in the interpreted core
        world.publish_plans({"w": plan_of(BEFORE)}, 1)
        world.append(0, pack.encode(packed(0, {"p1": "a", "p2": "b"})))
        cluster = Cluster(world)
        await cluster.settle()
        await cluster.stop()
        counted = degraded.Degraded(dues=3, definitions=1, last_ms=START_MS)
        world.store.hashes.setdefault(keys.degraded(0), {})["w"] = degraded.encode(counted)
        cluster = Cluster(world)
        await until_well(world)
        await cluster.stop()

    run(main())
