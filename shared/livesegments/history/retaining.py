"""Files written anew without the events that a workspace doesn't keep any longer.

Example: the workspace `shop` keeps 365 days. Of a file with its orders of two years the older ones go: what
is left is written under a new name, the same range with another tag, and takes the old one's place in the
register. A file without rows left is written, too, so that the register's ranges still follow each other.

What decides what a profile is stays however old it is: its changes, retractions and merges. Of a profile with
no row left in a file one row stays that says that it is known, with the name `$known`. Transitions stay.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from livesegments.core.event import KNOWN, MERGE, PROFILE, RETRACT
from livesegments.history import schema
from livesegments.history.archive import Archive
from livesegments.history.protocol import Pruned, Pruning
from livesegments.history.ranges import Range

FEW = 8
"""Files that are written anew at once: then others have their turn."""
_STAYS = [PROFILE, RETRACT, MERGE]


def retain(
    archive: Archive, partition: int, registered: Sequence[Range], before: Mapping[str, int], by: str
) -> Pruning:
    """`before`: workspace → the first instant (ms) of which events are kept; `by`: the tag of new files.

    As many files as `FEW`; where it answers so many there may be more. Raises FileNotFoundError.
    """
    gone = _gone(before)
    pruned, workspaces = list[Pruned](), set[str]()
    for old in registered:
        if not _worth(archive, partition, old, gone):
            continue
        rows = archive.open(partition, "events", old).read()
        workspaces.update(rows.filter(gone).column("workspace").unique().to_pylist())
        events = _left(rows, gone)
        transitions = archive.open(partition, "transitions", old).read()
        new = old.anew(by)
        pruned.append(Pruned(old, new, archive.write(partition, new, events, transitions)))
        if len(pruned) == FEW:
            break
    return Pruning(pruned, sorted(workspaces))


def _worth(archive: Archive, partition: int, of: Range, gone: Any) -> bool:
    """Whether rows go; those that say that a profile is known are there to stay, but may become fewer."""
    paths = [archive.path(partition, "events", of)]
    rows = ds.dataset(paths, format="parquet", filesystem=archive.files)
    return bool(rows.count_rows(filter=gone & (pc.field("name") != KNOWN)))


def _gone(before: Mapping[str, int]) -> Any:
    old = (
        (pc.field("workspace") == workspace)
        & (pc.field("time") < pa.scalar(first_ms, pa.timestamp("ms", tz="UTC")))
        for workspace, first_ms in before.items()
    )
    return functools.reduce(operator.or_, old, pc.scalar(False)) & ~pc.field("name").isin(_STAYS)


def _left(events: pa.Table, gone: Any) -> pa.Table:
    kept, old = events.filter(~gone), events.filter(gone)
    whose = ["workspace", "profile"]
    known = kept.group_by(whose).aggregate([])
    last = old.sort_by([("commit", "ascending"), ("place", "ascending")])
    rest = [name for name in events.column_names if name not in whose]
    last = last.group_by(whose, use_threads=False).aggregate([(name, "last") for name in rest])
    last = last.rename_columns([name.removesuffix("_last") for name in last.column_names])
    last = last.join(known, whose, join_type="left anti")
    constant = {"name": KNOWN, "id": "", "properties": "{}", "cause": KNOWN}
    for name, value in constant.items():
        filled = pa.array([value] * last.num_rows, pa.string())
        last = last.set_column(last.column_names.index(name), name, filled)
    found = pa.concat_tables([kept, last.select(events.column_names).cast(schema.EVENTS)])
    return found.sort_by([(name, "ascending") for name in schema.EVENTS_ORDER])
