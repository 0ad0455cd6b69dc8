"""Files written anew without the rows of persons who were erased.

Example: ada of the workspace `shop` was erased by commit 4,711. Of every file of her partition, whether a
register names it or not, it is looked whether it has rows of hers up to that commit; most have not, which
their statistics say. One that has is written under a new name, the same range with another tag, without
them. The old file is removed only after a commit has registered the new one.

A range's two files go together: where one of them changes, both are written. A file that has no rows left is
written, too, so that the ranges of the register still follow each other; the next merge takes it up.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from msgspec.structs import replace

from livesegments.core.event import PROFILE
from livesegments.history.archive import TABLES, Archive, Table
from livesegments.history.checkpoints import MARK, listed, path_of
from livesegments.history.mark import Mark, Saved
from livesegments.history.protocol import Fields, Person, Pruned, Pruning, Purged
from livesegments.history.ranges import Range
from livesegments.store import keys
from livesegments.store.adoption import decode_stage
from livesegments.store.adoption import encode as encode_stage
from livesegments.store.degraded import decode as decode_degraded
from livesegments.store.degraded import encode as encode_degraded
from livesegments.store.degraded import without
from livesegments.wire.profilekey import profile_key
from livesegments.wire.suppressed import digest, values_of

EVER = 2**62
EVER_MS = 253_402_300_799_999
"""The last instant that there is."""
MOST_VALUES = 100_000
"""Digests of values that are answered."""
_properties = msgspec.json.Decoder(dict[str, Any])


def prune(
    archive: Archive,
    partition: int,
    registered: Sequence[Range],
    persons: Sequence[Person],
    by: str,
    key: str,
) -> Pruning:
    """`by`: the tag of new files; `key`: that of digests."""
    archive.drop_drafts(partition)
    pruned, values = [], set[str]()
    for old in archive.ranges(partition, float("inf")):
        tables = {}
        counts = old in registered
        gone = _gone(persons, counts)
        try:
            if not any(_has(archive, partition, table, old, gone) for table in TABLES):
                continue
            if len(values) < MOST_VALUES:
                values |= _values(archive, partition, old, gone, key)
            for table in TABLES:
                tables[table] = _dataset(archive, partition, table, old).to_table(filter=~gone)
        except FileNotFoundError:
            continue  # a half of a range, from a death between its two files: no register ever names it
        new = old.anew(by)
        written = archive.write(partition, new, tables["events"], tables["transitions"])
        pruned.append(Pruned(old, new, written))
    return Pruning(pruned, values=sorted(values))


def seek(
    archive: Archive, partition: int, registered: Sequence[Range], digests: Sequence[str], key: str
) -> list[Person]:
    """Profiles that are kept out, so that none of their rows counts, with rows in files of another life."""
    wanted, found = frozenset(digests), set[tuple[str, str]]()
    for each in set(archive.ranges(partition, float("inf"))) - set(registered):
        for table in TABLES:
            try:
                rows = _dataset(archive, partition, table, each).to_table(columns=["workspace", "profile"])
            except FileNotFoundError:
                continue
            groups = rows.group_by(["workspace", "profile"]).aggregate([])
            pairs = zip(
                groups.column("workspace").to_pylist(), groups.column("profile").to_pylist(), strict=True
            )
            found.update(pair for pair in pairs if digest(key, *pair) in wanted)
    return [Person(*pair, EVER, EVER_MS, EVER) for pair in sorted(found)]


def purge(
    archive: Archive, partition: int, topic: str, persons: Sequence[Person], fields: Sequence[Fields], by: str
) -> list[Purged]:
    """Every checkpoint anew, without the persons that were erased after it, and with `fields`."""
    archive.drop_drafts(partition)
    return [
        Purged(name, *_purged(archive, partition, topic, name, persons, fields, by))
        for name in listed(archive, partition, None)
    ]


def _purged(
    archive: Archive,
    partition: int,
    topic: str,
    name: str,
    persons: Sequence[Person],
    fields: Sequence[Fields],
    by: str,
) -> tuple[str, Saved]:
    with archive.files.open_input_file(path_of(archive, partition, name)) as source:
        file = pq.ParquetFile(source)
        schema = file.schema_arrow
        mark = msgspec.json.decode(schema.metadata[MARK], type=Mark)
        hashes = {key: dict(found) for key, found in mark.hashes.items()}
        offset = mark.offset if mark.topic == topic else -1
        leaving = [each for each in persons if offset <= each.offset]
        gone = _any(map(_is, leaving))

        def preceding(workspace: str, profile: str) -> str:
            stays = ~gone & (pc.field("workspace") == workspace) & (pc.field("profile") < profile)
            groups = (
                pc.max(file.read_row_group(group, ["workspace", "profile"]).filter(stays).column("profile"))
                for group in range(file.num_row_groups)
            )
            return max((each.as_py() for each in groups if each.is_valid), default="")

        unname(partition, hashes, leaving, preceding)
        for before, added in fields:
            if offset < before:
                for key, found in added.items():
                    hashes.setdefault(key, {}).update(found)
        mark = replace(mark, by=by, hashes=hashes)
        rows = 0

        def fill(sink: pa.NativeFile) -> None:
            nonlocal rows
            metadata = {**schema.metadata, MARK: msgspec.json.encode(mark)}
            with pq.ParquetWriter(
                sink, schema.with_metadata(metadata), compression="zstd", use_dictionary=["workspace"]
            ) as writer:
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group).filter(~gone)
                    rows += table.num_rows
                    writer.write_table(table.replace_schema_metadata(metadata))

        size = archive.create(path_of(archive, partition, mark.name), fill)
    return mark.name, Saved(rows, size, mark.offset)


def unname(
    partition: int,
    hashes: dict[str, dict[str, str]],
    persons: Sequence[Person],
    preceding: Callable[[str, str], str],
) -> None:
    """Takes what names them out of the hashes of a checkpoint.

    `preceding`: the last profile of a workspace before an id, of those that stay in the checkpoint. A filling
    that had just come to a person goes on behind that one.
    """
    merged, degraded = hashes.get(keys.merged(partition), {}), hashes.get(keys.degraded(partition), {})
    adopted = hashes.get(keys.adopted(partition), {})
    for each in persons:
        named = profile_key(each.workspace, each.profile) + "\0"
        for field in [field for field in merged if field.startswith(named)]:
            del merged[field]
        if each.workspace in degraded:
            before = decode_degraded(degraded[each.workspace].encode())
            degraded[each.workspace] = encode_degraded(without(before, each.profile)).decode()
        if each.workspace in adopted:
            stage = decode_stage(adopted[each.workspace].encode())
            if stage.filling is not None and stage.filling.after == each.profile:
                filling = replace(stage.filling, after=preceding(each.workspace, each.profile))
                adopted[each.workspace] = encode_stage(replace(stage, filling=filling)).decode()


def _gone(persons: Sequence[Person], counts: bool) -> Any:
    """The rows that go, as an expression. `counts`: a register names the file."""
    found = []
    for each in persons:
        earlier = pc.field("commit") <= each.upto
        if not counts:
            earlier |= pc.field("at") <= _instant(each.at_ms)
        found.append(_is(each) & earlier)
    return _any(found)


def _is(person: Person) -> Any:
    return (pc.field("workspace") == person.workspace) & (pc.field("profile") == person.profile)


def _any(found: Iterable[Any]) -> Any:
    return functools.reduce(operator.or_, found, pc.scalar(False))


def _instant(at_ms: int) -> pa.Scalar:
    return pa.scalar(at_ms, pa.timestamp("ms", tz="UTC"))


def _has(archive: Archive, partition: int, table: Table, of: Range, gone: Any) -> bool:
    return bool(_dataset(archive, partition, table, of).count_rows(filter=gone))


def _values(archive: Archive, partition: int, of: Range, gone: Any, key: str) -> set[str]:
    """Digests of the values that events which go have."""
    rows = _dataset(archive, partition, "events", of).to_table(columns=["name", "properties"], filter=gone)
    found = set[str]()
    names, contents = rows.column("name").to_pylist(), rows.column("properties").to_pylist()
    for name, data in zip(names, contents, strict=True):
        properties = _properties.decode(data)
        if name == PROFILE:  # as ingest samples a change
            given = {**(properties.get("attributes") or {}), "groups": properties.get("groups")}
            found.update(values_of(key, given), values_of(key, properties.get("score") or {}))
        else:
            found.update(values_of(key, properties))
    return found


def _dataset(archive: Archive, partition: int, table: Table, of: Range) -> Any:
    return ds.dataset([archive.path(partition, table, of)], format="parquet", filesystem=archive.files)
