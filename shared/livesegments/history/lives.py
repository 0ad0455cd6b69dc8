"""What profiles had done up to the `$merge` by which they went into others, from files and tail, as it came.

Example: `anonymous:a-1` went into `ann` in commit 4,711. Of its rows those count that came before the
`$merge` and after an earlier one (a profile may have come back, module `core.merging`). Derived events are
left out: they are derived again where the history is handed over to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from livesegments.core.event import MERGE, Event
from livesegments.history.archive import Archive
from livesegments.history.companion import LENGTH
from livesegments.history.protocol import Life, Piece, encode
from livesegments.history.ranges import Range
from livesegments.store.tail import Entry, applied
from livesegments.wire.pack import MAX_BYTES, MAX_EVENTS

Places: TypeAlias = dict[tuple[int, int], Event]
"""(commit, place) → event."""

_properties = msgspec.json.Decoder(dict[str, Any])


def lives(
    archive: Archive,
    partition: int,
    ranges: Sequence[Range],
    entries: Sequence[tuple[int, Entry]],
    wanted: Sequence[Life],
    into: Path,
) -> int:
    """Writes the pieces of every life, in the order of `wanted`, to a file; how many events they hold."""
    found: dict[tuple[str, str], Places] = {(each.workspace, each.profile): {} for each in wanted}
    for commit, entry in entries:
        for each in applied(commit, entry):
            places = found.get((each.event.workspace, each.event.profile))
            if places is not None and each.cause is None:
                places[each.commit, each.place] = each.event
    if ranges:
        _from_files(archive, partition, ranges, found)
    count = 0
    with into.open("wb") as file:
        for index, life in enumerate(wanted):
            events = up_to(life, found[life.workspace, life.profile])
            count += len(events)
            for piece in pieces(index, events):
                data = encode(piece)
                file.write(len(data).to_bytes(LENGTH))
                file.write(data)
    return count


def up_to(life: Life, places: Places) -> list[Event]:
    """Those before the `$merge` of a life, as they came."""
    found: list[Event] = []
    for (commit, _), event in sorted(places.items(), key=lambda item: item[0]):
        if commit > life.commit:
            break
        if commit <= life.since:
            continue
        if event.name == MERGE:
            if commit == life.commit and event.id == life.merge:
                break
            found = []
        else:
            found.append(event)
    return found


def pieces(index: int, events: Sequence[Event]) -> Iterator[Piece]:
    """At least one; each fits into a record."""
    piece: list[Event] = []
    size = chunk = 0
    for event in events:
        length = len(encode(event))
        if piece and (len(piece) == MAX_EVENTS or size + length > MAX_BYTES):
            yield Piece(index, chunk, piece)
            piece, size, chunk = [], 0, chunk + 1
        piece.append(event)
        size += length
    yield Piece(index, chunk, piece, last=True)


def _from_files(
    archive: Archive, partition: int, ranges: Sequence[Range], found: dict[tuple[str, str], Places]
) -> None:
    paths = [archive.path(partition, "events", each) for each in ranges]
    workspaces = sorted({workspace for workspace, _ in found})
    where = (
        pc.field("workspace").isin(workspaces)
        & pc.field("profile").isin(sorted({profile for _, profile in found}))
        & pc.field("cause").is_null()
    )
    columns = ["workspace", "profile", "name", "time", "id", "properties", "commit", "place"]
    table = ds.dataset(paths, format="parquet", filesystem=archive.files).to_table(columns, filter=where)
    table = table.set_column(3, "time", table.column("time").cast(pa.int64()))
    for row in table.to_pylist():
        places = found.get((row["workspace"], row["profile"]))
        if places is not None:
            places[row["commit"], row["place"]] = Event(
                row["id"], row["workspace"], row["profile"], row["name"], row["time"],
                _properties.decode(row["properties"]),
            )  # fmt: skip
