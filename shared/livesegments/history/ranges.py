"""Which files are a partition's archive: ranges of commits that follow each other without a gap.

Example: the files 1-40, 41-90 and 91-120 are one archive up to commit 120; the tail has what is later. When
41-90 and 91-120 are merged, the register says 1-40, 41-120 from one commit on, and the two old files count
for nothing, whether or not they are still there.

Where the register is lost, the files decide: the longest chain of ranges from the beginning, at every step
the file that reaches furthest.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

_NAME = re.compile(r"(\d{16})-(\d{16})-([0-9a-z]{1,16})\.parquet")


ANEW = "x"
"""Stands in a tag between the claim that wrote a range first and who wrote it anew. No claim's tag has it."""


class Range(Struct, frozen=True, order=True):
    """Commits `first` to `last`, both included, as the claim with the tag `by` wrote them.

    Two claims never write the same file: files that a worker writes or removes after it lost its partition
    concern nobody else.
    """

    first: int
    last: int
    by: str

    @property
    def name(self) -> str:
        """The file's name, which is its identity."""
        return f"{self.first:016d}-{self.last:016d}-{self.by}.parquet"

    @property
    def origin(self) -> Range:
        """Of a file that was written anew without some of its rows: the first one."""
        return Range(self.first, self.last, self.by.partition(ANEW)[0])

    def anew(self, by: str) -> Range:
        """The name of the file that takes its place; `by` is its own part of the tag."""
        return Range(self.first, self.last, f"{self.origin.by[:8]}{ANEW}{by[:7]}")


def parse(name: str) -> Range | None:
    """The range of a file's name; None for a file that is none of ours."""
    match = _NAME.fullmatch(name)
    return Range(int(match[1]), int(match[2]), match[3]) if match else None


def chain(found: Iterable[Range], upto: int | None = None) -> list[Range]:
    """The ranges that follow each other from the first commit on, ending at `upto` at most."""
    usable = sorted(each for each in found if upto is None or each.last <= upto)
    chosen: list[Range] = []
    following = min((each.first for each in usable), default=0)
    while best := max((each for each in usable if each.first == following), default=None, key=_last):
        chosen.append(best)
        following = best.last + 1
    return chosen


def mergeable(
    registered: Sequence[tuple[Range, int]],
    upto: int,
    most_bytes: int,
    least: int,
    borders: Collection[int] = (),
) -> list[Range]:
    """Neighbours worth merging into one file, oldest first; empty where there are none.

    `registered` are ranges with their bytes, ascending. No range beyond commit `upto` is touched; a merge has
    at least `least` parts and, together, at most `most_bytes`. None has parts on both sides of a border; the
    commit that is one belongs to what is before it.
    """
    run: list[Range] = []
    size = side = 0
    for each, bytes_ in registered:
        if each.last > upto:
            break
        before, side = side, sum(border < each.last for border in borders)
        if size + bytes_ > most_bytes or side != before:
            if len(run) >= least:
                return run
            run, size = [], 0
        if bytes_ < most_bytes:
            run.append(each)
            size += bytes_
    return run if len(run) >= least else []


def _last(each: Range) -> int:
    return each.last
