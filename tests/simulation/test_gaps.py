"""Records that the consumer drops: the log has them, so they are read again, though nothing follows."""

from __future__ import annotations

from livesegments.core.event import Event
from livesegments.evaluator.transport import Unremembered
from livesegments.wire import pack
from tests.simulation.faults import Cluster
from tests.simulation.loop import run
from tests.simulation.world import World


def happens(world: World, name: str) -> None:
    at = world.now_ms()
    world.append(0, pack.encode(pack.Packed([Event(name, "w", "ann", "a", at, {})])))


def test_the_last_record_is_read_again_if_it_never_came() -> None:
    async def main() -> None:
        world = World(0, 1)
        cluster = Cluster(world)
        happens(world, "first")
        await cluster.settle()
        happens(world, "lost")
        cluster.owner_of[0].lose(0)
        await cluster.settle()  # or it raises
        await cluster.stop()

    run(main())


def test_faust_remembers_no_offset_for_us() -> None:
    """It drops what lies below the highest offset that it has seen; and notes that of a record still in its
    hands after the log was told to go back, so that all in between would fall."""
    offsets, part = Unremembered(), "events-0"
    offsets[part] = 7
    offsets.update({part: 8})
    assert offsets[part] is None
