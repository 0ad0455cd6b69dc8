"""An event of a workspace that a worker hasn't heard of yet: it asks, and loses nothing."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from livesegments.core.definition import Node
from livesegments.core.event import Event
from livesegments.core.plan import Plan, Segment, compile
from livesegments.evaluator.kernel import native
from livesegments.wire import pack
from tests.simulation.faults import Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.world import START_MS, World

NODE = msgspec.convert({"type": "event", "name": "seen"}, Node)


def _plan(workspace: str) -> Plan:
    return compile(workspace, "UTC", [Segment("seen", 1, 1, NODE)], 1)


def _seen(workspace: str, profile: str, count: int = 1) -> bytes:
    events = [
        Event(f"{workspace}-{profile}-{number}", workspace, profile, "seen", START_MS)
        for number in range(count)
    ]
    return pack.encode(pack.Packed(events))


class Growing(World):
    """While a worker asks for the workspace `other`, the workspace `young` is made and its first event comes.
    The worker hears of that one only when it asks again."""

    asked = 0

    async def refresh(self) -> None:
        self.asked += 1
        known = ("known", "other", "young")[: self.asked]
        if self.asked == 2:
            self.append(0, _seen("young", "ann"))
        self.publish_plans({each: _plan(each) for each in known}, self.asked)
        await asyncio.sleep(1)  # of the simulation: whatever is in the log is read meanwhile


async def _story(natively: bool) -> None:
    world = Growing(1, 1)
    world.native = natively
    world.append(0, _seen("known", "ann"))
    world.append(0, _seen("other", "ann", 400))
    world.append(0, _seen("known", "bob", 200))
    cluster = Cluster(world)
    await cluster.settle()
    members = stored_members(world, 0)
    assert members == {
        ("known", "seen"): {"ann", "bob"},
        ("other", "seen"): {"ann"},
        ("young", "seen"): {"ann"},
    }
    await cluster.stop()


@pytest.mark.parametrize("natively", [False, True] if native.BUILT else [False])
def test_a_workspace_that_is_made_while_another_one_is_asked_for(natively: bool) -> None:
    """The record of the young one is applied together with one that was there when the worker asked."""
    run(_story(natively))
