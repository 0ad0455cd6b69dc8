"""Bytes that somebody else made, over the whole language: the race hands mutated states, events and descriptions to
the kernel beside its own. It answers, or raises one of two errors; whatever else came out would be a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

import msgspec

from livesegments.core.event import Event
from livesegments.core.profile import Profile, encode
from livesegments.core.step import Step
from livesegments.evaluator.kernel.description import describe
from livesegments.evaluator.kernel.native import Kernel
from tests.properties.histories import History
from tests.properties.kernel_race import Count, KernelRace

NOWS = (0, -1, 2**63 - 1, -(2**63))
EACH = 4
"""Mutants of a step's bytes."""
OF_PLAN = 10
"""Mutants of a plan's description."""


class Mutants(KernelRace):
    """`read` and `refused` count the answers."""

    read = refused = 0

    def __init__(self, history: History, random: Random) -> None:
        super().__init__(history, Count())
        self._random = random
        self._described = -1

    def _event(self, event: Event, now_ms: int) -> Step:
        state = b"" if self.profile is None else encode(self.profile)
        kernel, random, record = self._native(), self._random, msgspec.msgpack.encode(event)
        for _ in range(EACH):
            at_ms = random.choice((now_ms, *NOWS))
            if state:
                self._hand(partial(kernel.plan.event, kernel.revision, mutated(state, random), record, at_ms))
            self._hand(partial(kernel.plan.event, kernel.revision, state, mutated(record, random), at_ms))
        self._plans(kernel)
        return super()._event(event, now_ms)

    def _clock(self, profile: Profile, now_ms: int) -> Step:
        kernel, random, state = self._native(), self._random, encode(profile)
        for _ in range(EACH):
            at_ms = random.choice((now_ms, *NOWS))
            self._hand(partial(kernel.plan.clock, kernel.revision, "p", mutated(state, random), at_ms))
        return super()._clock(profile, now_ms)

    def _plans(self, kernel: Kernel) -> None:
        if self._described == kernel.revision:
            return
        self._described, data = kernel.revision, describe(self.plan).data
        for _ in range(OF_PLAN):
            self._hand(partial(type(kernel.plan), mutated(data, self._random), kernel.made.asked))

    def _hand(self, work: Callable[[], object]) -> None:
        if answers(work):
            Mutants.read += 1
        else:
            Mutants.refused += 1


def answers(work: Callable[[], object]) -> bool:
    try:
        work()
    except (ValueError, NotImplementedError):
        return False
    return True


def mutated(data: bytes, random: Random) -> bytes:
    made = bytearray(data)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(made))
        match random.randrange(4):
            case 0:
                made[at] = random.randrange(256)
            case 1:
                del made[at : at + random.randint(1, 8)]
            case 2:
                heads = (0, 0x7F, 0x81, 0x92, 0xC0, 0xCF, 0xDD, 0xDF, 0xFF)
                made[at:at] = bytes(random.choices(heads, k=random.randint(1, 9)))
            case _:
                made[at] ^= 1 << random.randrange(8)
        made = made or bytearray(b"\0")
    return bytes(made)
