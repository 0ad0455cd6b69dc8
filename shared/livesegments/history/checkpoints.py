"""The files of checkpoints: a partition's profile states as of one commit.

    ARCHIVE/checkpoints/v1/p=00012/0000000000004711-9f3c21aa.parquet

The columns are `workspace`, `profile` and `state` (msgpack of core.profile.Profile). The mark, which says
the rest, is JSON in the file's metadata, under `livesegments.checkpoint`. A file that is there is whole and
can be relied on, whether or not a register names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from livesegments.history.archive import Archive
from livesegments.history.mark import Mark, Row, Saved, Spool, commit_of, spooled

VERSION = 1
BATCH = 2_000
"""Rows that are restored at once."""
ROW_GROUP = 50_000
MARK = b"livesegments.checkpoint"
"""Of the file's metadata."""
_STATES = pa.schema(
    [
        pa.field("workspace", pa.string(), nullable=False),
        pa.field("profile", pa.string(), nullable=False),
        pa.field("state", pa.binary(), nullable=False),
    ]
)


def save(archive: Archive, mark: Mark, scanned: Path, images: Path) -> Saved:
    """`scanned` are states as a scan met them; `images`, of profiles that changed meanwhile, go before."""
    metadata = {MARK: msgspec.json.encode(mark), b"livesegments.schema": str(VERSION).encode()}
    schema = _STATES.with_metadata(metadata)
    rows = 0

    def fill(sink: pa.NativeFile) -> None:
        nonlocal rows
        with pq.ParquetWriter(sink, schema, compression="zstd", use_dictionary=["workspace"]) as writer:
            for group in _grouped(_as_of(scanned, images)):
                columns = [
                    pa.array(column, field.type)
                    for column, field in zip(zip(*group, strict=True), schema, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))
                rows += len(group)

    size = archive.create(path_of(archive, mark.partition, mark.name), fill)
    return Saved(rows, size, mark.offset)


def marks(archive: Archive, partition: int) -> list[Mark]:
    """Those of all checkpoints that are there and can be read."""
    found = []
    for name in listed(archive, partition, None):
        try:
            with archive.files.open_input_file(path_of(archive, partition, name)) as file:
                found.append(msgspec.json.decode(pq.read_schema(file).metadata[MARK], type=Mark))
        except (FileNotFoundError, pa.ArrowInvalid, KeyError, msgspec.MsgspecError):
            continue  # removed just now, or not ours
    return found


def load(archive: Archive, mark: Mark, into: Path) -> int:
    """Writes the rows, in batches; how many there are. Raises FileNotFoundError also where it is damaged."""
    spool, count = Spool(into), 0
    try:
        with archive.files.open_input_file(path_of(archive, mark.partition, mark.name)) as source:
            for batch in pq.ParquetFile(source).iter_batches(BATCH):
                spool.put(list(zip(*(column.to_pylist() for column in batch.columns), strict=True)))
                count += batch.num_rows
    except pa.ArrowInvalid as error:
        raise FileNotFoundError(f"checkpoint {mark.name} is damaged: {error}") from error
    finally:
        spool.close()
    return count


def older(archive: Archive, partition: int, until_s: float) -> list[str]:
    """The names of those that were written until then (seconds since 1970)."""
    return sorted(listed(archive, partition, until_s))


def remove(archive: Archive, partition: int, names: Iterable[str]) -> None:
    for name in names:
        archive.delete(path_of(archive, partition, name))


def listed(archive: Archive, partition: int, until_s: float | None) -> list[str]:
    """Names of those that were written until then (seconds since 1970); None: of all."""
    selector = fs.FileSelector(_folder(archive, partition), allow_not_found=True)
    infos = archive.files.get_file_info(selector)
    return [
        info.base_name
        for info in infos
        if commit_of(info.base_name) is not None and (until_s is None or info.mtime.timestamp() <= until_s)
    ]


def _folder(archive: Archive, partition: int) -> str:
    return f"{archive.root}/checkpoints/v{VERSION}/p={partition:05d}"


def path_of(archive: Archive, partition: int, name: str) -> str:
    return f"{_folder(archive, partition)}/{name}"


def _as_of(scanned: Path, images: Path) -> Iterator[Row]:
    """Every profile once: a scan may meet one twice, and those that came later are not wanted."""
    before = {(workspace, profile): state for rows in spooled(images) for workspace, profile, state in rows}
    met: set[tuple[str, str]] = set()
    for rows in spooled(scanned):
        for workspace, profile, state in rows:
            key = workspace, profile
            if key in met:
                continue
            met.add(key)
            found = before.get(key, state)
            if found is not None:
                yield workspace, profile, found


def _grouped(rows: Iterator[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        group.append(row)
        if len(group) == ROW_GROUP:
            yield group
            group = []
    if group:
        yield group
