"""Whoever reads while the store is lost and made anew is answered what is right, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import pytest

from livesegments.core.plan import compile
from livesegments.store import keys
from livesegments.store.seen import FIELDS, Restoring, Seen, looked
from livesegments.wire import pack
from tests.effort import effort
from tests.simulation.faults import FAULTS, LOSSES, Cluster, stored_members
from tests.simulation.loop import run
from tests.simulation.memory import MemoryStore
from tests.simulation.story import DEFINITIONS, PARTITIONS, expected, history, plan_of, records, segment
from tests.simulation.test_checkpoints import taken
from tests.simulation.world import START_MS, World

Members = Mapping[tuple[str, str], set[str]]


class Reader:
    """One process that reads; `log` is what the broker tells it."""

    def __init__(self, world: World, log: Mapping[int, int]) -> None:
        self._world, self._log = world, log
        self._seen = [Seen()] * PARTITIONS

    def answered(self, partition: int) -> int | None:
        """The offset of what is answered; None: the read is refused."""
        try:
            now = looked(
                partition, head(self._world, partition), self._seen[partition], self._log.get(partition, 0)
            )
        except Restoring:
            return None
        self._seen[partition] = now
        return now.offset


def head(world: World, partition: int) -> list[bytes | None]:
    stored = world.store.hashes.get(keys.head(partition), {})
    found = [stored.get(name) for name in FIELDS]
    return [each if each is None or isinstance(each, bytes) else str(each).encode() for each in found]


def quiet(world: World, partition: int) -> bool:
    """Whether nothing that is due has yet to fire, and no definition has yet to be adopted."""
    stored = world.store.hashes.get(keys.head(partition), {})
    dues = world.store.scores.get(keys.due(partition), {})
    adopted = stored.get("catalog") == world.revision
    return adopted and min(dues.values(), default=2**62) > stored.get("clock", -(2**62))


def begin(seed: int) -> tuple[World, list[list[pack.Record]]]:
    world = World(seed, PARTITIONS)
    world.checkpoint_every_s = 0.3
    world.publish_plans({"w": plan_of(DEFINITIONS)}, 1)
    logs = records(seed, history(seed, 150), START_MS + 10**9)
    for partition, log in enumerate(logs):
        for record in log:
            world.append(partition, pack.encode(record))
    return world, logs


def reference(logs: Sequence[Sequence[pack.Record]]) -> Callable[[int, int, int | None], Members]:
    """Of a partition that has applied its log up to an offset; the clock may have gone on beyond that."""

    @cache
    def members(partition: int, offset: int, clock_ms: int | None) -> Members:
        (found,) = expected(plan_of(DEFINITIONS), [logs[partition][:offset]])
        if clock_ms is not None:
            found.move(clock_ms)
        return found.members()

    return members


@pytest.mark.parametrize("seed", range(effort(6, 25)))
def test_nothing_wrong_is_read_whatever_is_lost(seed: int) -> None:
    """By one that reads all the time, by one that begins now, and by one that the broker tells nothing of a
    store that was emptied."""

    async def main() -> None:
        world, logs = begin(seed)
        right = reference(logs)
        cluster, old = Cluster(world), Reader(world, world.acked)
        emptied: dict[int, int] = {}
        furthest: dict[int, int] = {}
        answers = 0

        def read() -> None:
            nonlocal answers
            for partition in range(PARTITIONS):
                blind = Reader(world, {}).answered(partition)
                claimed = "topic" in world.store.hashes.get(keys.head(partition), {})
                if blind is not None and claimed and partition in emptied:
                    assert blind >= emptied[partition]
                fresh = Reader(world, world.acked).answered(partition)
                assert fresh is None or fresh >= world.acked.get(partition, 0)
                offset = old.answered(partition)
                if offset is None:
                    continue
                assert offset >= furthest.get(partition, 0)
                furthest[partition] = offset
                if quiet(world, partition):
                    answers += 1
                    assert stored_members(world, partition) == right(
                        partition, offset, world.store.hashes[keys.head(partition)].get("clock")
                    )

        empty = world.store.restore

        def restore(snapshot: MemoryStore, quietly: bool = False) -> None:
            if not snapshot.hashes:
                emptied.update(furthest)
            else:
                emptied.clear()
            empty(snapshot, quietly)
            read()

        world.store.restore = restore  # type: ignore[method-assign]
        for _ in range(12):
            for _ in range(world.random.randrange(40)):
                await asyncio.sleep(world.random.choice((0, 0.001, 0.01)))
                read()
            await cluster.strike(FAULTS + 2 * LOSSES)
        settled = asyncio.create_task(cluster.settle())
        whole = [len(log) for log in logs]
        async with asyncio.timeout(600):
            while not settled.done() or [old.answered(each) for each in range(PARTITIONS)] != whole:
                await asyncio.sleep(0.01)
                read()
        await settled
        assert answers
        await cluster.stop()

    run(main())


@pytest.mark.parametrize("fault", ["empty", "lose"])
@pytest.mark.parametrize("seed", range(8))
def test_what_was_made_since_the_checkpoint_is_never_missing(seed: int, fault: str) -> None:
    """Segments are made, and one is edited, after the last checkpoint or snapshot; then the store is lost. The log
    is applied again long before they are made again: until then no read is answered."""

    async def main() -> None:
        first = plan_of({"rich": DEFINITIONS["rich"], "both": DEFINITIONS["quiet"]})
        later = {id_: each for id_, each in DEFINITIONS.items() if id_ != "rich"}
        second = compile(
            "w",
            "Europe/Paris",
            [segment("rich", DEFINITIONS["rich"])]
            + [segment(id_, each, revision=2, version=2) for id_, each in later.items()],
            2,
        )
        world = World(seed, PARTITIONS)
        world.tiny, world.checkpoint_every_s = True, 0.3
        world.publish_plans({"w": first}, 1)
        logs = records(seed, history(seed, 60), START_MS + 10**9)
        for partition, log in enumerate(logs):
            for record in log:
                world.append(partition, pack.encode(record))
        cluster = Cluster(world)
        await cluster.settle()
        await taken(world)
        await cluster.stop()
        world.checkpoint_every_s = 0.0
        cluster = Cluster(world)  # which keeps a snapshot for itself
        world.publish_plans({"w": second}, 2)
        await cluster.settle()
        right = [stored_members(world, partition) for partition in range(PARTITIONS)]
        readers = Reader(world, {}), Reader(world, world.acked)
        for reader in readers:
            assert None not in [reader.answered(partition) for partition in range(PARTITIONS)]

        await cluster.strike((fault,))
        settled, answers = asyncio.create_task(cluster.settle()), 0
        async with asyncio.timeout(600):
            while not settled.done() or answers < PARTITIONS:
                answers = 0
                for partition in range(PARTITIONS):
                    if [each for each in readers if each.answered(partition) is not None]:
                        answers += 1
                        assert stored_members(world, partition) == right[partition]
                await asyncio.sleep(world.random.choice((0, 0.001, 0.01)))
        await settled
        await cluster.stop()

    run(main())
