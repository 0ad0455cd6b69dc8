"""A fault of ours in the native kernel stops no partition, wherever it is: within a step the interpreted core does the
step, anywhere else it goes on from what is stored, for that partition.
"""

from __future__ import annotations

import pytest

from livesegments.evaluator.kernel import native
from livesegments.runtime import metrics
from livesegments.wire import pack
from tests.delivery import check_delivery
from tests.simulation.faults import Cluster, check_dues, stored_members
from tests.simulation.loop import run
from tests.simulation.story import DEFINITIONS, PARTITIONS, expected, history, plan_of, records
from tests.simulation.world import START_MS, World

pytestmark = pytest.mark.skipif(
    not native.BUILT, reason="no kernel: make setup builds it where cargo is on PATH"
)
WITHIN = ("plan", "step")
OUTSIDE = ("dues", "fire", "seal")


@pytest.mark.parametrize("place", [*WITHIN, *OUTSIDE])
def test_a_planted_panic_stops_no_partition(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from livesegments.evaluator.kernel import _native  # noqa: PLC0415

    monkeypatch.setenv("RUST_BACKTRACE", "0")  # or every panic takes a second

    async def main() -> None:
        world, before = World(7, PARTITIONS), metrics.NATIVE_FAULTS._value.get()
        world.native = True
        plan = plan_of(DEFINITIONS)
        world.publish_plans({"w": plan}, 1)
        logs = records(7, history(7, 150), START_MS + 10**9)
        for partition, log in enumerate(logs):
            for record in log:
                world.append(partition, pack.encode(record))
        _native.plant(place)
        cluster = Cluster(world)
        await cluster.settle()
        await cluster.stop()
        assert not world.crashes
        assert (metrics.NATIVE_FAULTS._value.get() > before) == (place in OUTSIDE)
        for partition, reference in enumerate(expected(plan, logs)):
            assert stored_members(world, partition) == reference.members()
            check_dues(world, partition)
            check_delivery(world.announced[partition])

    try:
        run(main())
    finally:
        _native.plant()
