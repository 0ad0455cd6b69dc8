"""The catalogue's topic as an evaluator follows it, with a reader that gives what the test says."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from livesegments.core import plan
from livesegments.core.declared import Declared
from livesegments.core.definition import Node
from livesegments.core.plan import Limits
from livesegments.evaluator.plans import catalog
from livesegments.evaluator.plans.definitions import Definitions
from livesegments.wire import catalog as wire

NODE = msgspec.json.decode('{"type":"event","name":"e"}', type=Node)
ENTRIES: tuple[wire.Entry, ...] = (
    wire.Workspace("w", "w", "UTC", 0),
    wire.Segment("w", "s", "s", 1, 1, 0, 0, NODE),
)


class Reader:
    """Gives the entries at once, and then nothing any more."""

    def __init__(self, *_: str) -> None:
        self._left = [
            SimpleNamespace(key=wire.key_of(each).encode(), value=wire.encode(each), offset=offset)
            for offset, each in enumerate(ENTRIES)
        ]

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def take(self, timeout_ms: int) -> list[Any]:
        await asyncio.sleep(0)
        found, self._left = self._left, []
        return found

    async def ends(self) -> list[int]:
        return [len(ENTRIES)]

    async def positions(self) -> list[int]:
        return [len(ENTRIES)]


async def test_what_cannot_be_compiled_is_tried_again_though_nothing_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def planted(*_: Any) -> Any:
        raise OverflowError("planted")

    monkeypatch.setattr(catalog, "Reader", Reader)
    known, moved = catalog.Catalog("", Limits(), again_s=0.0), asyncio.Event()
    with monkeypatch.context() as broken:
        broken.setattr(plan, "compile", planted)
        await known.start()
        assert "planted" in known.faults["w"]
    known.subscribe(moved.set)
    following = asyncio.create_task(known.run())
    async with asyncio.timeout(60):
        await moved.wait()
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    assert known.faults == {} and known.plans["w"].segments.keys() == {"s"}


def test_an_archived_segment_is_in_no_plan_until_it_is_taken_up_again() -> None:
    known = Definitions(Limits())

    def take(entry: wire.Entry, offset: int) -> set[str]:
        known.take(wire.key_of(entry).encode(), wire.encode(entry), offset)
        known.compile()
        return set(known.plans["w"].segments)

    assert take(ENTRIES[0], 0) == set()
    for static in (None, NODE):
        segment = wire.Segment("w", "s", "s", 1, 1, 0, 0, static)
        assert take(segment, 1) == {"s"}
        assert take(msgspec.structs.replace(segment, version=2, archived_ms=7), 2) == set()
        assert take(msgspec.structs.replace(segment, version=3), 3) == {"s"}
        assert known.plans["w"].segments["s"].revision == 3
        assert take(msgspec.structs.replace(segment, version=4, archived_ms=7), 4) == set()


def test_what_is_called_like_a_segment_takes_nothing_from_it() -> None:
    known = Definitions(Limits())
    for offset, entry in enumerate(ENTRIES):
        known.take(wire.key_of(entry).encode(), wire.encode(entry), offset)
    declared = wire.DeclaredField("w", "s", 1, 1, 1, Declared("text"))
    for value in (wire.encode(declared), None):
        known.take(wire.key_of(declared).encode(), value, len(ENTRIES))
        known.compile()
        assert set(known.plans["w"].segments) == {"s"}
