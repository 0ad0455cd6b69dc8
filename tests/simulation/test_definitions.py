"""Definitions change while the log is read, walks are cut short, and owners die."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from livesegments.core.plan import Segment, compile
from livesegments.store import keys, progress
from livesegments.wire import pack
from tests.delivery import check_delivery
from tests.effort import effort
from tests.simulation.faults import FAULTS, LOSSES, Cluster, check_dues, stored_members
from tests.simulation.loop import run
from tests.simulation.story import DEFINITIONS, MINUTE, PARTITIONS, expected, history, records, segment
from tests.simulation.world import START_MS, World

HOUR = 60 * MINUTE

VARIANTS = {
    "active": [DEFINITIONS["active"]],
    "recent": [
        '{"type":"event","name":"a","window":{"last":"1h"}}',
        '{"type":"event","name":"a","window":{"last":"1h"},"value":2}',
        '{"type":"event","name":"b","window":{"last":"30m"}}',
    ],
    "quiet": [DEFINITIONS["quiet"], DEFINITIONS["quiet"].replace('"a"', '"b"')],
    "rich": [DEFINITIONS["rich"], DEFINITIONS["rich"].replace("3", "1")],
    "poor": [DEFINITIONS["rich"].replace("gte", "lt"), DEFINITIONS["rich"].replace("gte", "lte")],
    "both": [DEFINITIONS["both"], DEFINITIONS["both"].replace("active", "recent")],
    "often": [
        '{"type":"computed","name":"a","window":{"last":"1h"},"measure":{"of":"count"},'
        '"asked":{"type":"attribute","name":"computed:visits","op":"gte","value":2}}',
        '{"type":"computed","name":"a","measure":{"of":"last_at"},'
        '"asked":{"type":"attribute","name":"computed:seen","op":"younger_than","value":"30m"}}',
    ],
    "computed:visits": [
        '{"type":"computed","name":"a","window":{"last":"1h"},"measure":{"of":"count"}}',
        '{"type":"computed","name":"a","window":{"last":"2h"},"measure":{"of":"count"}}',
    ],
    "left": [
        '{"type":"sequence","window":{"last":"2h"},"within":"20m",'
        '"steps":[{"name":"a"},{"name":"b","absent":true}]}'
    ],
}
LASTING = {"active", "rich", "recent"}
"""Others refer to these: they are edited, but not deleted."""


class Catalogue:
    """Changes one definition at a time, as an api would."""

    def __init__(self, world: World, variants: Mapping[str, Sequence[str]] = VARIANTS) -> None:
        self.world = world
        self._variants = variants
        self.segments: dict[str, Segment] = {}
        self._versions: dict[str, int] = {}
        for id_ in sorted(LASTING):
            self._put(id_)
        self._publish()

    def change(self) -> None:
        id_ = self.world.random.choice(sorted(self._variants))
        if id_ in self.segments and id_ not in LASTING and self.world.random.random() < 0.5:
            del self.segments[id_]
        else:
            self._put(id_)
        self._publish()

    def _put(self, id_: str) -> None:
        version = self._versions[id_] = self._versions.get(id_, 0) + 1
        revision = self.world.revision + 1
        self.segments[id_] = segment(id_, self.world.random.choice(self._variants[id_]), revision, version)

    def _publish(self) -> None:
        revision = self.world.revision + 1
        previous = self.world.plans.get("w")
        plan = compile("w", "Europe/Paris", self.segments.values(), revision, previous=previous)
        self.world.publish_plans({"w": plan}, revision)


@pytest.mark.parametrize("seed", range(effort(6, 40)))
@pytest.mark.parametrize("faults", [FAULTS, FAULTS + LOSSES], ids=["deaths", "losses"])
def test_definitions_that_change_between_deaths_end_up_right(seed: int, faults: tuple[str, ...]) -> None:
    """Everything must be as if the definitions had always been the last ones."""

    async def main() -> None:
        world = World(seed, PARTITIONS)
        catalogue, cluster = Catalogue(world), Cluster(world)
        first = records(seed, history(seed, 150), START_MS + 20 * HOUR)
        await tell(world, cluster, first, faults, catalogue)
        for partition, reference in enumerate(expected(world.plans["w"], first)):
            assert stored_members(world, partition) == reference.members()
            check_dues(world, partition)
        second = history(seed + 1, 60, START_MS + 24 * HOUR)
        end_ms = max(event.time_ms for event in second) + MINUTE
        await tell(world, cluster, logs := records(seed, second, end_ms), FAULTS)
        await cluster.stop()
        whole = [before + after for before, after in zip(first, logs, strict=True)]
        for partition, reference in enumerate(expected(world.plans["w"], whole)):
            assert stored_members(world, partition) == reference.members()
            check_dues(world, partition)
            check_progress(world, partition, catalogue.segments)
            if faults is FAULTS:
                told = check_delivery(world.announced[partition])
                members = {(*key, each) for key, all_ in reference.members().items() for each in all_}
                assert told == members

    run(main())


async def tell(
    world: World,
    cluster: Cluster,
    logs: list[list[pack.Record]],
    faults: tuple[str, ...],
    catalogue: Catalogue | None = None,
) -> None:
    for partition, log in enumerate(logs):
        for record in log:
            world.append(partition, pack.encode(record))
    for _ in range(12):
        await asyncio.sleep(world.random.random() * 0.1)
        await cluster.strike(faults)
        if catalogue is not None:
            await asyncio.sleep(world.random.random() * 0.1)
            catalogue.change()
    await cluster.settle()


def check_progress(world: World, partition: int, segments: dict[str, Segment]) -> None:
    stored = world.store.hashes.get(keys.segments(partition, "w"), {})
    versions = {id_: progress.decode(data).definition_version for id_, data in stored.items()}
    assert versions == {each.id: each.definition_version for each in segments.values()}
