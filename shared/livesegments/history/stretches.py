"""A partition in stretches of its profiles, in sorted order, so that no scan holds more than some rows at
once.

Example: the archive has 12,500,000 rows of a partition's workspace. Their row groups, of 50,000 rows, end
with the profiles `ben`, `cleo` and so on. Every fortieth of these, in sorted order, is where a stretch
ends. A group that reaches over such an end is read twice. Profiles come out whole wherever the ends are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

import pyarrow.parquet as pq

from livesegments.history.archive import Archive
from livesegments.history.ranges import Range
from livesegments.history.schema import EVENTS

Stretch: TypeAlias = tuple[str, str | None]
"""The profile before its first one, and its last; None: it goes to the end."""
MOST_ROWS = 2_000_000
"""A stretch has about so many rows, of all names; one profile's are never parted."""
_WORKSPACE, _PROFILE = (EVENTS.get_field_index(name) for name in ("workspace", "profile"))


def stretches(
    archive: Archive, partition: int, ranges: Sequence[Range], workspace: str, after: str
) -> Iterator[Stretch]:
    """In order; there is always one."""
    ends = sorted(
        end
        for of in ranges
        for end in _ends(archive.open(partition, "events", of).metadata, workspace)
        if end[0] > after
    )
    bounds, rows = [after], 0
    for profile, count in ends[:-1]:
        rows += count
        if rows >= MOST_ROWS and profile > bounds[-1]:
            bounds.append(profile)
            rows = 0
    yield from pairwise(bounds)
    yield bounds[-1], None


def _ends(of: pq.FileMetaData, workspace: str) -> Iterator[tuple[str, int]]:
    """The last profile, and the number of rows, of every row group that has nothing but the workspace's."""
    for group in range(of.num_row_groups):
        columns = of.row_group(group)
        own, profiles = columns.column(_WORKSPACE).statistics, columns.column(_PROFILE).statistics
        if (
            own is not None
            and own.has_min_max
            and own.min == own.max == workspace
            and profiles is not None
            and profiles.has_min_max
        ):
            yield profiles.max, columns.num_rows
