"""The archive's files, in a local folder or in an object store, named by a URL.

    ARCHIVE/events/v1/p=00012/0000000000000001-0000000000004711-9f3c21aa.parquet
    ARCHIVE/transitions/v1/p=00012/0000000000000001-0000000000004711-9f3c21aa.parquet

A file appears whole or not at all: locally it is written under another name, flushed to the disk and
renamed; an object store shows an object when it is whole. The register that a partition's commits keep
decides which files count (`ranges` has the rule for a lost register).

The functions block, so a service runs them in a thread or in a process of their own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from livesegments.history import schema
from livesegments.history.protocol import Written
from livesegments.history.ranges import Range, parse

Table: TypeAlias = Literal["events", "transitions"]

TABLES: tuple[Table, ...] = ("events", "transitions")
ROW_GROUP = 50_000
"""Rows; a profile's events then lie in one or two row groups of a file."""
_ORDER: dict[Table, tuple[str, ...]] = {
    "events": schema.EVENTS_ORDER,
    "transitions": schema.TRANSITIONS_ORDER,
}
_SCHEMA: dict[Table, Any] = {"events": schema.EVENTS, "transitions": schema.TRANSITIONS}


class Archive:
    """Over `url`: a path, `file://…`, or `s3://KEY:SECRET@BUCKET/PREFIX?region=…&endpoint_override=…`."""

    def __init__(self, url: str) -> None:
        if "://" not in url:
            Path(url).mkdir(parents=True, exist_ok=True)
            url = Path(url).resolve().as_uri()
        self.files, self.root = fs.FileSystem.from_uri(url)
        self.is_local = isinstance(self.files, fs.LocalFileSystem)

    def write(self, partition: int, of: Range, events: pa.Table, transitions: pa.Table) -> Written:
        """Writes both files of a range; a file that is there already is replaced by the new one."""
        size = self._put(self.path(partition, "events", of), events, "events")
        size += self._put(self.path(partition, "transitions", of), transitions, "transitions")
        times = events.column("time").cast(pa.int64())
        return Written(
            events.num_rows,
            transitions.num_rows,
            size,
            pa.compute.min(times).as_py(),
            pa.compute.max(times).as_py(),
        )

    def merge(self, partition: int, parts: Sequence[Range], of: Range) -> Written:
        """Neighbouring ranges as one; the parts stay until `remove`."""
        tables = {table: self._merged(partition, table, parts) for table in TABLES}
        return self.write(partition, of, tables["events"], tables["transitions"])

    def remove(self, partition: int, ranges: Iterable[Range]) -> None:
        """A file that is not there any more is none to remove."""
        for of in ranges:
            for table in TABLES:
                self.delete(self.path(partition, table, of))

    def ranges(self, partition: int, until_s: float) -> list[Range]:
        """Those with a file that was written until then (seconds since 1970), whether or not they count."""
        return sorted({each for table in TABLES for each in self._listed(partition, table, until_s)})

    def drop_drafts(self, partition: int) -> None:
        """What a death left half written, in the folders of a partition that nobody else writes in now."""
        if not self.is_local:
            return
        for folder in Path(self.root).glob(f"*/v*/p={partition:05d}"):
            for draft in folder.glob(".*.parquet.*"):
                draft.unlink(missing_ok=True)

    def path(self, partition: int, table: Table, of: Range) -> str:
        return f"{self._folder(partition, table)}/{of.name}"

    def open(
        self, partition: int, table: Table, of: Range, dictionaries: Sequence[str] = ()
    ) -> pq.ParquetFile:
        """`dictionaries`: columns that are read as such.

        Raises FileNotFoundError where it was merged away: resolve the ranges again."""
        source = self.files.open_input_file(self.path(partition, table, of))
        return pq.ParquetFile(source, read_dictionary=list(dictionaries) or None)

    def create(self, path: str, fill: Callable[[pa.NativeFile], None]) -> int:
        """A file with what `fill` writes, at once or not at all; its bytes."""
        if not self.is_local:
            try:
                with self.files.open_output_stream(path) as sink:
                    fill(sink)
            except BaseException:
                self.delete(path)  # closing the stream may have made an object of what was written so far
                raise
            return int(self.files.get_file_info(path).size)
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{uuid4().hex}")
        try:
            with self.files.open_output_stream(str(draft)) as sink:
                fill(sink)
            _flush(draft)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        _flush(target.parent)
        return target.stat().st_size

    def delete(self, path: str) -> None:
        """A file that is not there any more is none to delete."""
        if self.files.get_file_info(path).type != fs.FileType.NotFound:
            self.files.delete_file(path)

    # -- inside

    def _folder(self, partition: int, table: Table) -> str:
        return f"{self.root}/{table}/v{schema.VERSION}/p={partition:05d}"

    def _listed(self, partition: int, table: Table, until_s: float) -> list[Range]:
        selector = fs.FileSelector(self._folder(partition, table), allow_not_found=True)
        infos = (info for info in self.files.get_file_info(selector) if info.mtime.timestamp() <= until_s)
        found = (parse(info.base_name) for info in infos)
        return [each for each in found if each is not None]

    def _merged(self, partition: int, table: Table, parts: Sequence[Range]) -> pa.Table:
        tables = [self.open(partition, table, part).read() for part in parts]
        order = [(name, "ascending") for name in _ORDER[table]]
        return pa.concat_tables(tables).sort_by(order)

    def _put(self, path: str, rows: pa.Table, table: Table) -> int:
        sorting = pq.SortingColumn.from_ordering(
            _SCHEMA[table], [(name, "ascending") for name in _ORDER[table]]
        )

        def fill(sink: pa.NativeFile) -> None:
            pq.write_table(
                rows,
                sink,
                row_group_size=ROW_GROUP,
                compression="zstd",
                sorting_columns=sorting,
                write_page_index=True,
            )

        return self.create(path, fill)


def _flush(path: Path) -> None:
    """To the disk, so that a registered file survives a loss of power as Redis does."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
