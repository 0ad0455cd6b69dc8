"""Transitions become records without being decoded, and what an event did overtakes a storm."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from aiokafka.record.memory_records import MemoryRecords

from livesegments.core.event import Transition
from livesegments.evaluator.batch import Batch
from livesegments.evaluator.kernel import native
from livesegments.evaluator.kernel.announcing import kinds, mentions, records
from livesegments.evaluator.relay import Relay
from livesegments.store.told import Told
from tests.simulation.memory import MemoryShard, MemoryStore

STRANGE = [chr(each) for each in range(1, 256)] + ["\u2028", "\ud7ff", "😀", '"', "\\"]
MANY = 5


def transition(profile: str, sequence: int = 1, **more: object) -> Transition:
    fields: dict[str, object] = {"id": f"{profile}/{sequence}", "workspace": "w", "segment": "s"}
    fields |= {"profile": profile, "kind": "entered", "at_ms": 1_700_000_000_000, "sequence": sequence}
    fields |= {"cause": "clock", "event_id": None, "version": 1}
    return msgspec.convert({**fields, **more}, Transition)


def some(rng: random.Random, count: int) -> Iterator[Transition]:
    for number in range(count):
        profile = "".join(rng.choices(STRANGE, k=rng.randrange(1, 40)))
        at_ms = rng.randrange(-(2**62), 2**62)
        more: dict[str, object] = {"event_id": rng.choice((None, profile[::-1])), "at_ms": at_ms}
        more |= {"cause": rng.choice(("clock", "event")), "kind": rng.choice(("entered", "exited"))}
        if not rng.randrange(5):
            more["computed"] = {profile: rng.choice((1, True, 0.1, 1e300, profile))}
        yield transition(profile, number + 1, **more)


def read(batches: Sequence[bytes]) -> list[tuple[bytes | None, bytes | None]]:
    found = []
    for each in batches:
        memory = MemoryRecords(each)
        while memory.has_next():
            batch = memory.next_batch()
            assert batch is not None and batch.validate_crc()
            found += [(record.key, record.value) for record in batch]
    return found


@pytest.mark.skipif(not native.BUILT, reason="the native kernel was not built")
@pytest.mark.parametrize("most_bytes", [1, 2_000, 1_000_000])
def test_records_are_those_that_would_be_made_of_decoded_transitions(most_bytes: int) -> None:
    rng = random.Random(most_bytes)
    commits = [list(some(rng, count)) for count in (1, 0, 40, 200)]
    told = Told.joined(commits)
    whole = Told(told.parts, len(told))
    batches = list[bytes]()
    for made, count in records(whole, most_bytes):
        batch = Batch(made, count, 1_700_000_000_000)
        batch._set_producer_state(7, 1, len(batches))
        assert batch.record_count() == count
        assert batch._build() == batch._build()
        assert len(batch._build()) == batch.size()
        assert len(made) <= most_bytes or count == 1
        batches.append(batch._build())
    wanted = [each for commit in commits for each in commit]
    assert read(batches) == [(each.profile.encode(), msgspec.json.encode(each)) for each in wanted]
    assert list(whole) == wanted


def test_counted_and_looked_through() -> None:
    commits = [[transition("a"), transition("b", kind="exited")], [transition("c")]]
    told = Told.joined(commits)
    assert sorted(kinds(Told(told.parts, 3))) == [("entered", "clock", 2), ("exited", "clock", 1)]
    assert mentions(told, Told.of([transition("x"), transition("c", 2)]))
    assert not mentions(told, Told.of([transition("x")]))
    assert not mentions(told, Told.of([transition("a", workspace="v")]))


class Broker:
    """A publisher that holds what has many transitions back until it is let go."""

    def __init__(self) -> None:
        self.announced: list[str] = []
        self.open = asyncio.Event()

    async def publish(self, _: int, transitions: Sequence[Transition]) -> None:
        if len(transitions) >= MANY:
            await self.open.wait()
        self.announced += [each.id for each in transitions]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_what_an_event_did_overtakes_a_storm_but_not_its_own_profile() -> None:
    async def main() -> None:
        broker, store = Broker(), MemoryStore()

        async def pause() -> None:
            pass

        shard = MemoryShard(store, 0, pause)
        await shard.open()
        relay = Relay(0, shard, broker, 0, 1_000, MANY, lambda: None)  # type: ignore[arg-type]
        running = asyncio.create_task(relay.run())
        storm = [transition(f"p{number}") for number in range(MANY)]
        relay.hand(1, storm)
        await settle()
        relay.hand(2, [transition("live")])
        await settle()
        assert broker.announced == ["live/1"]
        relay.hand(3, [transition("p3", 2)])
        relay.hand(4, [transition("live", 2)])
        relay.hand(5, [transition(f"q{number}") for number in range(MANY)])
        await settle()
        assert broker.announced == ["live/1"], "those of few go in their order"
        reached = asyncio.create_task(relay.reached(2))
        await settle()
        assert not reached.done()
        broker.open.set()
        await relay.reached(5)
        await reached
        at = broker.announced.index
        assert at("p3/1") < at("p3/2") < at("live/2") < at("q0/1")
        assert relay.waiting == 0
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(main())
