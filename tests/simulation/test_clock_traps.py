"""Traps of clock-driven evaluation that others fell into, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from livesegments.core.event import Event
from livesegments.core.plan import Plan, compile
from livesegments.store import keys
from livesegments.wire import pack
from livesegments.wire.profilekey import profile_key
from tests.simulation.faults import Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.story import segment
from tests.simulation.world import START_MS, World

BRIEF = '{"type":"event","name":"a","window":{"last":"5s"}}'


def plan_of(workspace: str) -> Plan:
    return compile(workspace, "UTC", [segment("brief", BRIEF)], 1)


def happens(
    world: World,
    profiles: Iterable[str],
    workspace: str = "w",
    stamp_ms: int | None = None,
    partition: int = 0,
) -> None:
    at = world.now_ms() if stamp_ms is None else stamp_ms
    events = [Event(f"{profile}@{at}", workspace, profile, "a", at, {}) for profile in profiles]
    world.append(partition, pack.encode(pack.Packed(events)))


def test_the_clock_skips_no_workspace() -> None:
    """Clock-driven re-evaluation skipped all tenants but one."""

    async def main() -> None:
        world = World(0, 1, live=True)
        workspaces = [f"w{number}" for number in range(40)]
        world.publish_plans({each: plan_of(each) for each in workspaces}, 1)
        cluster = Cluster(world)
        for workspace in workspaces:
            happens(world, ["ann", "bob"], workspace)
            await asyncio.sleep(0.01)
        await cluster.settle()
        assert len(stored_members(world, 0)) == len(workspaces)
        await asyncio.sleep(6)
        assert stored_members(world, 0) == {}
        await cluster.stop()

    run(main())


def test_walks_skip_no_workspace_though_one_changes_all_the_time() -> None:
    async def main() -> None:
        world = World(0, 1, live=True)
        world.chunk = 2
        plans = {each: plan_of(each) for each in ("busy", "calm")}
        world.publish_plans(plans, 1)
        cluster = Cluster(world)
        for workspace in plans:
            happens(world, [f"p{number}" for number in range(50)], workspace)
        await cluster.settle()
        calm = compile("calm", "UTC", [segment("brief", BRIEF), segment("new", BRIEF, 2)], 2)
        revision = 2
        while b'"ready"' not in world.store.hashes[keys.segments(0, "calm")].get("new", b""):
            assert revision < 300
            busy = [segment("brief", BRIEF), segment("changing", BRIEF, revision, revision)]
            world.publish_plans({"busy": compile("busy", "UTC", busy, revision), "calm": calm}, revision)
            revision += 1
            await asyncio.sleep(0.01)
        await cluster.stop()

    run(main())


def test_the_local_midnight_storm_lets_live_traffic_through() -> None:
    """Ten thousand profiles come due at one instant; the storm stalled live traffic.

    It fires a chunk a commit. Between two chunks events are applied, also of the same partition, and
    definitions are adopted. What falls due does so at its own instant, whatever came between.
    """

    async def main() -> None:
        world = World(0, 2, live=True)
        world.chunk = 100
        world.publish_plans({"w": plan_of("w")}, 1)
        cluster = Cluster(world)
        for start in range(0, 10_000, 500):
            happens(world, [f"p{number}" for number in range(start, start + 500)], stamp_ms=START_MS)
        await cluster.settle()
        due_ms = START_MS + 5_000
        announced, elsewhere = world.announced
        while len(announced) == 10_000:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        fresh = ["new", "p9999"]
        assert stored_due(world, "p9999") == due_ms, "the last of the storm"
        happens(world, fresh)
        happens(world, ["elsewhere"], partition=1)
        world.publish_plans({"w": compile("w", "UTC", [segment("brief", BRIEF)], 2)}, 2)
        while (  # noqa: ASYNC110
            not elsewhere
            or world.store.hashes[keys.head(0)]["catalog"] != 2
            or "new" not in {each.profile for each in announced[10_000:]}
        ):
            await asyncio.sleep(0.001)
        assert len(world.store.scores[keys.due(0)]) > 1_000, "only after the storm"
        await cluster.settle()
        storm = [each for each in announced[10_000:] if each.kind == "exited" and each.at_ms == due_ms]
        assert {each.profile for each in storm} == {f"p{number}" for number in range(10_000)}
        assert len(storm) == 10_000
        last = [(each.kind, each.cause) for each in announced if each.profile == "p9999"]
        assert last[:3] == [("entered", "event"), ("exited", "clock"), ("entered", "event")]
        await cluster.stop()

    run(main())


def stored_due(world: World, profile: str) -> int | None:
    return world.store.scores[keys.due(0)].get(profile_key("w", profile))
