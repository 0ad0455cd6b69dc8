"""Histories from somebody who means harm, and states of older plans: what a filling and a walk hand to the kernel.

Mutants are made of a chunk's columns and, apart from them, of the JSON in which it has the properties of events, so
that the columns can still be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from livesegments.core.backfill import Backfill, Past
from livesegments.core.bulk import order
from livesegments.core.order import Order
from livesegments.core.plan import Plan
from livesegments.core.wanted import History
from livesegments.evaluator.kernel import _native, native
from livesegments.evaluator.kernel.native import Kernel, Kernels
from livesegments.history.columns import written
from livesegments.wire.profilekey import profile_key
from tests.properties.decoders import EACH, Counts, bytes_of, mutant

KEY = profile_key("w", "p")
PIECES = (
    "{", "}", "[", "]", ",", ":", '"', "\\", '"a"', '"a":', "{}", "[]", "null", "true", "fals", "0", "-", "-0", "1.5", "1e400",
    "-1E-400", "9223372036854775807", "9223372036854775808", ".", "+1", "\\u0000", "\\ud83d\\ude00", "\\ud83d", "\\udc00\\ud800",
    "\\u12", "é", "\U0001f600", "\0", " ", "[" * 70, '{"a":' * 70,
)  # fmt: skip
"""Of JSON, and of what is nearly JSON."""


class HandingPast:
    """A plan, and what gives profiles their history or brings them to it."""

    def __init__(
        self, plan: Plan, kernel: Kernel, ledger: _native.Ledger, random: Random, counts: Counts
    ) -> None:
        self._plan, self._kernel, self._ledger = plan, kernel, ledger
        self._random, self._counts = random, counts
        self._kernels = Kernels()

    def given(self, state: bytes, backfill: Backfill, past: list[Past], now_ms: int) -> None:
        read = {event.name: tuple(event.properties) or ("x",) for _, event in past}
        made = order(backfill.plan, backfill.upto, now_ms)
        wishes = [self._wish(backfill, read, each) for each in (None, made)]
        chunk, stored = bytes_of(written(1.0, [("o", []), ("p", past)])), bytes_of(state)
        for _ in range(EACH):
            wish = self._random.choice(wishes)
            self._give(state, mutant(chunk, self._random), wish, now_ms)
            self._give(state, self._written_otherwise(past), wish, now_ms)
            self._give(mutant(stored, self._random), chunk.data, wish, now_ms)

    def older(self, state: bytes, now_ms: int, since: Mapping[int, int], walked: int) -> None:
        stored, adopt = bytes_of(state), self._kernel.plan.adopt
        for _ in range(EACH):
            other = mutant(stored, self._random)
            self._hand(partial(adopt, self._plan, "p", other, now_ms, since, walked), "adopt")
            walk = partial(self._ledger.walk, "w", {"p": other}, now_ms)
            self._counts.hand(walk, "walk", counted=False)
            self._end(now_ms)

    def _wish(self, backfill: Backfill, read: dict[str, tuple[str, ...]], made: Order | None) -> _native.Wish:
        return native.wish(backfill, History(read, {}), made, self._kernels)

    def _give(self, state: bytes, data: bytes, wish: _native.Wish, now_ms: int) -> None:
        chunk = self._hand(partial(native.past, data), "past")
        if chunk is None:
            return
        random = self._random
        at = random.choice((0, 1, 1, 1, len(chunk)))
        give = partial(self._kernel.plan.give, self._kernel.revision, state, chunk, at, wish, now_ms)
        self._counts.hand(give, "give", counted=False)
        stored = {KEY: state}
        end = random.choice((1, 2, len(chunk)))
        fill = partial(self._ledger.fill, "w", wish, chunk, 0, end, stored, set(), now_ms)
        self._counts.hand(fill, "fill", counted=False)
        self._end(now_ms)

    def _end(self, now_ms: int) -> None:
        ends = self._random.choice((self._ledger.undo, partial(self._ledger.seal, now_ms)))
        self._counts.hand(ends, "end of a walk", counted=False)

    def _written_otherwise(self, past: list[Past]) -> bytes:
        """The chunk with other properties, or what nearly are some."""
        found = [
            (commit, replace(event, properties=Raw(self._json(event.properties)))) for commit, event in past
        ]
        return written(1.0, [("o", []), ("p", found)])

    def _json(self, properties: dict[str, Any]) -> bytes:
        random, text = self._random, msgspec.json.encode(properties).decode()
        for _ in range(random.choice((0, 1, 1, 2))):
            at, piece = random.randrange(len(text) + 1), random.choice(PIECES)
            text = text[:at] + piece + text[at + random.randrange(4) :]
        return text.encode()

    def _hand(self, work: Any, what: str) -> Any:
        return self._counts.hand(work, what)
