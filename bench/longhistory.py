"""A long history, made in seconds: the archive's files and a checkpoint of every partition, without a log.

Ten events a profile over 60 days would take the road of an event minutes. So the files are written from
columns, and the states as a checkpoint has them: an evaluator that finds an empty store makes its
partitions anew from these, which is a figure of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from bench import harness, workload
from livesegments.core.dedup import remember
from livesegments.core.event import PROFILE
from livesegments.core.plan import Limits
from livesegments.core.profile import Profile, Register, encode
from livesegments.core.states import STATES
from livesegments.history import checkpoints, schema
from livesegments.history.archive import Archive
from livesegments.history.mark import Mark, Spool
from livesegments.history.protocol import encode_written
from livesegments.history.ranges import Range
from livesegments.store import adoption, keys
from livesegments.wire.topics import partition_of

EACH = 10
END_MS = workload.START_MS + workload.SPAN_MS
_NAMES = ("email_opened", "order_placed", "cart_updated", "page", PROFILE)
_FILES = 4
"""Of a partition's archive."""
_BY = "bench"
_EVENTS = 500
"""Of a commit."""
_WINDOW_MS = Limits().dedup_window_ms


def make(folder: Path, profiles: int, topic: str, seed: int = 3) -> int:
    """Files under `folder`, the archive, for a log with the identity `topic`; how many bytes of events."""
    homes: list[list[int]] = [[] for _ in range(harness.PARTITIONS)]
    for number in range(profiles):
        homes[partition_of(workload.WORKSPACE, f"profile-{number}", harness.PARTITIONS)].append(number)
    archive, size = Archive(str(folder)), 0
    for partition, mine in enumerate(homes):
        table = _events(mine, partition, seed)
        register, commits = {}, _commits(table.num_rows)
        for of in _ranges(commits):
            cut = table.slice((of.first - 1) * _EVENTS, (of.last - of.first + 1) * _EVENTS)
            ordered = cut.sort_by([(name, "ascending") for name in schema.EVENTS_ORDER])
            written = archive.write(partition, of, ordered, schema.transitions_table(()))
            register[of.name] = encode_written(written).decode()
            size += written.bytes
        _checkpoint(archive, partition, commits, topic, register, _states(table, mine), len(mine))
    return size


def _commits(rows: int) -> int:
    return -(-rows // _EVENTS)


def _ranges(commits: int) -> list[Range]:
    step = -(-commits // _FILES)
    return [Range(first, min(first + step - 1, commits), _BY) for first in range(1, commits + 1, step)]


def _events(mine: list[int], partition: int, seed: int) -> pa.Table:
    """Rows of `schema.EVENTS` in the order of arrival; a quarter are opened mails."""
    count, countries = len(mine) * EACH, str(list(workload.COUNTRIES))
    with duckdb.connect() as connection:
        connection.register("mine", pa.table({"number": pa.array(mine, pa.int64())}))
        return (
            connection.sql(f"""
WITH numbered AS (SELECT row_number() OVER () - 1 AS place, number FROM mine),
drawn AS (
  SELECT i, hash(i, {seed}, {partition}, 1) % {len(mine)} AS place, hash(i, {seed}, {partition}, 3) AS r,
    ({list(_NAMES)})[CASE WHEN i % 4 = 0 THEN 0 ELSE (hash(i, {seed}, {partition}, 2) % {len(_NAMES)})::INT END + 1] AS name,
    epoch_ms({workload.START_MS} + i * {workload.SPAN_MS} // {count}) AS came
  FROM range({count}) t(i)
)
SELECT '{workload.WORKSPACE}' AS workspace, 'profile-' || number AS profile, name, came AS time, 'e{partition}-' || i AS id,
  CASE name
    WHEN 'order_placed' THEN '{{"total":' || ((500 + r % 19500) / 100)::VARCHAR || '}}'
    WHEN '{PROFILE}' THEN '{{"attributes":{{"country":"' || ({countries})[(r % {len(workload.COUNTRIES)} + 1)::INT] || '"}}}}'
    ELSE '{{"product_id":"p' || r % {workload.IDS} || '"}}'
  END AS properties, came AS "at", i // {_EVENTS} + 1 AS "commit", i % {_EVENTS} AS place, NULL AS cause
FROM drawn JOIN numbered USING (place) ORDER BY i
""")
            .to_arrow_table()
            .cast(schema.EVENTS)
        )


def _states(table: pa.Table, mine: list[int]) -> Iterator[tuple[str, str, bytes | None]]:
    """Of every profile what its events made of it, under no segment."""
    states = {f"profile-{each}": Profile(plan=0, number=place + 1) for place, each in enumerate(mine)}
    columns = [table.column(name).to_pylist() for name in ("profile", "name", "id", "properties")]
    times = table.column("time").cast(pa.int64()).to_pylist()
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for profile, name, id_, data, at in zip(*columns, times, strict=True):
        state = states[profile]
        if at > END_MS - _WINDOW_MS or not state.seen:
            state.seen = remember(state.seen, id_, at, _WINDOW_MS, 1_000) or state.seen
        if name == PROFILE:
            country = decode(data)["attributes"]["country"]
            state.attributes["country"] = Register(country, at, id_)
    for id_, state in states.items():
        yield workload.WORKSPACE, id_, encode(state)


def _checkpoint(
    archive: Archive, partition: int, commit: int, topic: str, register: dict[str, str], rows: Any, last: int
) -> None:
    """`last`: the last number that a profile was given."""
    stage = adoption.encode(adoption.Stage(0, "Europe/Berlin", walked=0)).decode()
    hashes = {
        keys.adopted(partition): {workload.WORKSPACE: stage},
        keys.numbers(partition): {workload.WORKSPACE: str(last)},
    }
    mark = Mark(partition, commit, _BY, 0, END_MS, topic, 0, hashes, register, states=STATES)
    with TemporaryDirectory() as folder:
        scanned, images = Spool(Path(folder) / "scanned"), Spool(Path(folder) / "images")
        scanned.put(list(rows))
        scanned.close()
        images.close()
        checkpoints.save(archive, mark, scanned.path, images.path)
