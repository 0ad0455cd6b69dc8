"""Entries in chunks are a sorted list: whatever is done to both, they have the same in them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from operator import eq
from random import Random
from typing import Any

import msgspec
import pytest

from livesegments.core import chunks, entries
from livesegments.core.chunks import Chunks
from livesegments.core.count import packed
from livesegments.core.entries import Entries

Entry = tuple[int, str]
encode = msgspec.msgpack.Encoder(enc_hook=packed).encode
decode: Callable[[bytes], Entries[Entry]] = msgspec.msgpack.Decoder(list[Entry] | Chunks[Entry]).decode


@pytest.fixture(params=[2, 3, 8])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Few entries fill a chunk."""
    most: int = request.param
    monkeypatch.setattr(chunks, "MOST", most)
    monkeypatch.setattr(chunks, "LISTED", most + 1)
    monkeypatch.setattr(chunks, "FEW", most - 1)
    monkeypatch.setattr(chunks, "PIECES", 3)
    return most


def random_of(kept: list[Entry], random: Random) -> Entry:
    if kept and random.random() < 0.5:
        return random.choice(kept)
    return random.randrange(40), random.choice("abcd")


@pytest.mark.parametrize("seed", range(8))
def test_chunks_are_a_sorted_list(small: int, seed: int) -> None:
    random, kept = Random(seed), list[Entry]()
    ours: Entries[Entry] = []
    chunked = 0
    for _ in range(600):
        probe = random_of(kept, random)
        at = bisect_left(kept, probe)
        match random.randrange(14):
            case 0:
                assert entries.at_least(ours, probe) == next(iter(kept[at:]), None)
                assert entries.below(ours, probe) == next(iter(kept[:at][::-1]), None)
            case 1:
                at = bisect_left(kept, (probe[0],))
                assert entries.at_least(ours, (probe[0],)) == next(iter(kept[at:]), None)
                assert entries.below(ours, (probe[0],)) == next(iter(kept[:at][::-1]), None)
            case 2 if at < len(kept):
                del kept[at]
                entries.remove(ours, probe)
            case 3 if kept:
                assert ours[0] == kept[0]
                index = random.randrange(-len(kept), len(kept))
                assert ours[index] == kept[index]
            case 4:
                bound = random.randrange(12)
                gone = [entry for entry in kept if entry[0] <= bound]
                assert entries.until(ours, bound) == gone
                kept = kept[len(gone) :]
            case 5 if kept:
                bound = max(kept[0][0] + 1, random.randrange(12))
                entries.let_go(ours, bound.__gt__)
                kept = [entry for entry in kept if entry[0] >= bound]
            case 6:
                count = random.randrange(len(kept) + 1) if random.random() < 0.1 else min(1, len(kept))
                assert entries.pop_first(ours, count) == kept[:count]
                kept = kept[count:]
            case 7:
                was_in = probe in kept
                assert entries.remove_one(ours, probe[0], partial(eq, probe)) == was_in
                if was_in:
                    kept.remove(probe)
            case _:
                kept.insert(at, probe)
                entries.put(ours, probe, probe)
        ours = entries.fitted(ours)
        if random.random() < 0.5:
            ours = decode(encode(ours))
        chunked += isinstance(ours, Chunks)
        assert list(ours) == kept
        assert list(reversed(ours)) == kept[::-1]
        assert len(ours) == len(kept)
    assert chunked > 100


def test_what_an_event_in_order_does_not_touch_stays_bytes() -> None:
    """Of 10,000 entries a few dozen are read and written."""
    made: Any = decode(encode(Chunks.of([(number, "x") for number in range(10_000)])))
    for number in range(10_000, 10_020):
        entries.put(made, (number, "x"), (number, "x"))
        entries.until(made, number - 10_000)
        made = decode(encode(made))
    assert len(made) == 10_000
    assert len(made.head) + len(made.tail) <= 2 * chunks.MOST
    assert sum(map(len, made.between.pieces)) > 9_000
