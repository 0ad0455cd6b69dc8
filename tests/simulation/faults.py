"""What goes wrong in a simulation, and when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from livesegments.core.profile import decode
from livesegments.store import keys
from livesegments.store.adoption import decode_stage
from livesegments.wire.profilekey import ProfileKey, profile_key
from tests.simulation.memory import MemoryStore
from tests.simulation.world import Process, World

LOSSES = ("snapshot", "lose", "lose quietly", "empty", "empty quietly")
"""Faults that take the store back: to its last snapshot or to nothing, with broken connections or not."""
FORGETTING = ("forget",)
"""The log forgets what a checkpoint knows."""
FAULTS = ("kill", "move", "zombie", "broker", "gap")


class Cluster:
    """Which worker owns which partition, and what happens to the workers; every choice is the world's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.owner_of: dict[int, Process] = {}
        self._count = 0
        self._snapshot = world.store.copy()
        first, second = self._fresh(), self._fresh()
        self._give(range(0, world.partitions, 2), first)
        self._give(range(1, world.partitions, 2), second)

    async def strike(self, faults: Sequence[str]) -> None:
        """One fault, of a partition's owner or of everybody."""
        rng, store = self.world.random, self.world.store
        partition = rng.randrange(self.world.partitions)
        match rng.choice(faults):
            case "kill":
                self._kill(self.owner_of[partition])
            case "move":
                await self._move(partition)
            case "zombie":
                await self._walk_as_zombie(self.owner_of[partition])
            case "gap":
                self.owner_of[partition].lose(partition)
            case "broker":
                self.world.broker.clear()
                await asyncio.sleep(rng.random())
                self.world.broker.set()
            case "snapshot":
                self._snapshot = store.copy()
            case "forget":
                self.world.forget(partition)
            case "lose" | "lose quietly" as fault:
                store.restore(self._snapshot, fault.endswith("quietly"))
            case "empty" | "empty quietly" as fault:
                store.restore(MemoryStore(), fault.endswith("quietly"))

    async def settle(self) -> None:
        """Waits until all that is in the logs is applied under the newest plans, and announced."""
        async with asyncio.timeout(600):
            while not all(settled(self.world, partition) for partition in range(self.world.partitions)):
                assert not self.world.crashes, self.world.crashes
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        for process in set(self.owner_of.values()):
            await process.revoke()
        assert not self.world.crashes, self.world.crashes

    def _kill(self, dead: Process) -> None:
        self.world.kill(dead.name)
        self._give(self._owned(dead), self._fresh())

    async def _move(self, partition: int) -> None:
        before = self.owner_of[partition]
        await before.revoke()
        self._give([partition], self._fresh())
        before.assign(self._owned(before))

    async def _walk_as_zombie(self, before: Process) -> None:
        rng = self.world.random
        self.world.stop(before.name)
        self._give(self._owned(before), self._fresh())
        await asyncio.sleep(rng.random() * 0.2)
        self.world.resume()
        await asyncio.sleep(rng.random() * 0.1)
        await before.revoke()

    def _owned(self, process: Process) -> list[int]:
        return [partition for partition, owner in self.owner_of.items() if owner is process]

    def _give(self, partitions: Iterable[int], process: Process) -> None:
        self.owner_of |= dict.fromkeys(partitions, process)
        process.assign(self._owned(process))

    def _fresh(self) -> Process:
        self._count += 1
        return Process(self.world, f"worker-{self._count}")


def settled(world: World, partition: int) -> bool:
    head = world.store.hashes.get(keys.head(partition), {})
    walked = all(
        b'"ready"' in progress
        for progress in world.store.hashes.get(keys.segments(partition, "w"), {}).values()
    ) and all(
        stage.walked == stage.revision  # who was in a deleted segment has left it
        for stage in map(decode_stage, world.store.hashes.get(keys.adopted(partition), {}).values())
    )
    return (
        head.get("offset") == len(world.logs[partition])
        and head.get("catalog") == world.revision
        and "again" not in head
        and not world.store.streams.get(keys.outbox(partition))
        and not world.store.streams.get(keys.handing(partition))
        and not world.store.hashes.get(keys.recounts(partition))
        and walked
        and min(world.store.scores.get(keys.due(partition), {}).values(), default=2**62)
        > head.get("clock", -(2**62))
    )


def check_dues(world: World, partition: int) -> None:
    """The stored due instant is never later than the one of the profile's state, and there is none where the
    state has none."""
    states = world.store.hashes.get(keys.profiles(partition, "w"), {})
    wakes = {profile_key("w", id_): decode(state).wake_at for id_, state in states.items()}
    stored = world.store.scores.get(keys.due(partition), {})
    assert stored.keys() == {key for key, wake in wakes.items() if wake is not None}
    assert all(due <= (wakes[ProfileKey(key)] or 0) for key, due in stored.items())
    check_numbers(world, partition)


def stored_members(world: World, partition: int) -> dict[tuple[str, str], set[str]]:
    """(workspace, segment) → profiles, of the segments that have any."""
    found: dict[tuple[str, str], set[str]] = {}
    for key in [*world.store.scores, *world.store.bits]:
        home, kind, *names = key.split(":")
        if home == f"{{{partition}}}" and kind in {"members", "bits"}:
            workspace, segment = names
            members = world.store.members(partition, workspace, segment)
            if members:
                found[workspace, segment] = set(members.values())
    return found


def check_numbers(world: World, partition: int) -> None:
    """Every stored profile has a number of its own, under which its id is found; no number above the last one
    was given."""
    states = world.store.hashes.get(keys.profiles(partition, "w"), {})
    numbers = {decode(state).number: id_ for id_, state in states.items()}
    assert len(numbers) == len(states)
    stored = world.store.hashes.get(keys.ids(partition, "w"), {})
    assert {int(number): id_.decode() for number, id_ in stored.items()} == numbers
    assert max(numbers, default=0) <= int(world.store.hashes.get(keys.numbers(partition), {}).get("w", 0))
