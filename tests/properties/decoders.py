"""What the native kernel reads, from somebody who means it harm: states, events, records, plans, instants, columns
of histories, JSON, transitions.

A round has a seed. It lives through random histories and through facts of many entries, and hands mutants of all
bytes on the way to the kernel: mutants of single bytes, and whole values put where others were, so that the rest can
still be read. What a mutant was made into goes in once more. The kernel must answer, or raise one of two errors:
anything else, be it that the process ends, is a fault.

python -m tests.properties.decoders [--seed N] [--rounds N] [--seconds N] [--library PATH]

Without a seed, rounds have fresh ones until the time is over. `--library`: another build of the kernel, say one that
checks its arithmetic (`make fuzz` makes it).
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib.machinery
import importlib.util
import logging
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, NamedTuple

import structlog

KERNEL = "livesegments.evaluator.kernel._native"
MANY_EVERY, MANY_EVENTS = 15, 600
EACH = 40
"""Mutants of the same bytes."""
STUCK_S = 1_800
"""No step takes that long, however busy the machine is."""
MEMORY = 8 << 30
"""More address space would be for a length that somebody wrote."""
TOLD_S = 60.0
VALUES = [
    bytes.fromhex(each)
    for each in (
        "00", "01", "7f", "ff", "e0", "cc80", "cdffff", "ce80000000", "cf7fffffffffffffff", "cfffffffffffffffff",
        "d3ffffffffffffffff", "d38000000000000000", "d0df", "c0", "c2", "c3", "cb0000000000000000",
        "cb7ff8000000000000", "cb7ff0000000000000", "cb7fefffffffffffff", "cb0000000000000001", "cb4340000000000000",
        "cbc3e0000000000000", "ca3f800000", "a0", "a161", "a3ff2020", "c400", "c4020102", "90", "80", "91c0",
        "9200a0", "9300a000", "940000a000", "81a16100", "83a168", "dcffff", "ddffffffff", "deffff", "dfffffffff",
        "dbffffffff", "c6ffffffff", "d40000", "c1", "95800090000000c0",
    )
]  # fmt: skip
"""Whole values, and heads of some that are longer than what follows."""


class Counts:
    """How mutants ended; `faults` by what came out."""

    def __init__(self) -> None:
        self.read = self.refused = 0
        self.faults: Counter[str] = Counter()

    def __str__(self) -> str:
        total = self.read + self.refused + self.faults.total()
        return f"{total} mutants: {self.read} read, {self.refused} refused, faults {dict(self.faults)}"

    def hand(self, work: Callable[[], Any], what: str, counted: bool = True) -> Any:
        """The answer; None where it was refused. `counted`: whether a mutant of its own is handed over."""
        try:
            found = work()
        except (ValueError, NotImplementedError):
            self.refused += counted
            return None
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a panic is no Exception
            name = f"{what}: {type(error).__name__} {error}"
            if name not in self.faults:
                print(f"FAULT {name}", flush=True)
            self.faults[name] += 1
            return None
        self.read += counted
        return found


class Bytes(NamedTuple):
    """`starts`: where its values begin, in the first one that there is."""

    data: bytes
    starts: list[int]


def bytes_of(data: bytes) -> Bytes:
    return Bytes(data, list(_starts(data)))


def _starts(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        yield at
        at += _length(data, at)


def _length(data: bytes, at: int) -> int:
    """Of the value that begins there; of a list or map its head alone."""
    head = data[at]
    if head < 0xA0 or head >= 0xE0:
        return 1
    if head < 0xC0:
        return 1 + (head & 31)
    sized = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}.get(head)
    if sized is not None:
        return 1 + sized + int.from_bytes(data[at + 1 : at + 1 + sized])
    fixed = {0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9}
    return fixed.get(head, {0xDC: 3, 0xDD: 5, 0xDE: 3, 0xDF: 5}.get(head, 1))


def mutant(of: Bytes, random: Random) -> bytes:
    from tests.properties.mutants import mutated  # noqa: PLC0415

    if random.random() < 0.3 or len(of.starts) < 2:
        return mutated(of.data, random)
    data = of.data
    for _ in range(random.choice((1, 1, 1, 2))):
        # the last ones first, so that earlier places stay
        place = random.randrange(len(of.starts))
        start = min(of.starts[place], len(data) - 1)
        end = start + _length(data, start)
        if random.random() < 0.25:
            other = random.choice(of.starts)  # another value of the same bytes
            value = of.data[other : other + _length(of.data, other)]
        else:
            value = random.choice(VALUES)
        data = data[:start] + value + data[end:]
    return data or b"\0"


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.properties.decoders")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--library", type=Path)
    given = parser.parse_args()
    if given.library is not None:
        _load(given.library)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))
    counts, began, told, rounds = Counts(), time.monotonic(), time.monotonic(), 0
    while not _over(given, rounds, began):
        seed = SystemRandom().randrange(2**32) if given.seed is None else given.seed + rounds
        before = counts.faults.total()
        print(f"seed {seed}", file=sys.stderr, flush=True)  # the last one, if the process ends
        _round(seed, counts)
        rounds += 1
        if counts.faults.total() > before:
            print(f"again: python -m tests.properties.decoders --seed {seed} --rounds 1", flush=True)
        if time.monotonic() > told + TOLD_S:
            told = time.monotonic()
            print(f"{rounds} rounds, {counts}", flush=True)
    print(f"{rounds} rounds, {time.monotonic() - began:.0f} s, {counts}")
    return 1 if counts.faults else 0


def _over(given: argparse.Namespace, rounds: int, began: float) -> bool:
    if given.rounds is not None and rounds >= given.rounds:
        return True
    return given.seconds is not None and time.monotonic() >= began + given.seconds


def _load(path: Path) -> None:
    """Takes the place of the kernel that was built for the environment."""
    loader = importlib.machinery.ExtensionFileLoader(KERNEL, str(path))
    spec = importlib.util.spec_from_file_location(KERNEL, path, loader=loader)
    assert spec is not None
    module = sys.modules[KERNEL] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)


def _round(seed: int, counts: Counts) -> None:
    from livesegments.evaluator.kernel import native  # noqa: PLC0415  # after `_load`
    from tests.properties.decoded import hand_histories, hand_many  # noqa: PLC0415

    assert native.BUILT
    faulthandler.dump_traceback_later(STUCK_S, exit=True)
    random = Random(seed)
    for work in (partial(hand_histories, seed), hand_many):
        work(random, counts)
        faulthandler.dump_traceback_later(STUCK_S, exit=True)
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped")
