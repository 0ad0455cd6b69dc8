"""Tables of an export, as CSV, NDJSON or Parquet, written row by row into a file that has no name yet.

Example: of ann, with the field `city` and her tags, CSV has

    profile,city,tags
    ann,Kyiv,"[""vip""]"

and NDJSON `{"profile":"ann","fields":{"city":"Kyiv"},"tags":["vip"]}`. A value that there is none of is an
empty cell, is left out of the JSON object, and is null in Parquet.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any, Protocol

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text that begins so may be run as a formula by a spreadsheet, the wide forms by some."""
INSTANTS = frozenset({"entered_at", "valid_until", "updated_at"})
GROUP = 10_000
"""Rows that are put into a Parquet file at once."""
_SAFE = 1 << 53
_INT64 = 1 << 63


class Row(Struct, frozen=True, array_like=True):
    """One profile: the values of the fields that it has, and of what else was chosen (instants as text)."""

    profile: str
    fields: Mapping[str, Any]
    more: Mapping[str, Any]


class Sink(Protocol):
    def add(self, rows: Sequence[Row]) -> None:
        """Writes rows behind those that were added."""

    @property
    def size(self) -> int:
        """Bytes so far; of Parquet those of its draft."""

    def finish(self) -> IO[bytes]:
        """The whole file, from its beginning."""

    def close(self) -> None:
        """The file goes."""


def sink(format_: str, fields: Sequence[str], include: Sequence[str]) -> Sink:
    match format_:
        case "csv":
            return _Csv(fields, include)
        case "ndjson":
            return _Lines()
    return _Parquet(fields, include)


def columns(fields: Sequence[str], include: Sequence[str]) -> list[str]:
    """The names of the columns: an attribute that is called like one of ours is `attribute:NAME`."""
    ours = {"profile", *include}
    return ["profile", *(f"attribute:{name}" if name in ours else name for name in fields), *include]


def neutral(text: str) -> str:
    """With an apostrophe before what a spreadsheet would run."""
    return f"'{text}" if text.startswith(FORMULA) else text


class _Csv:
    def __init__(self, fields: Sequence[str], include: Sequence[str]) -> None:
        self._fields, self._include = fields, include
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._text = io.TextIOWrapper(self._file, "utf-8", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self._writer.writerow([neutral(name) for name in columns(fields, include)])

    def add(self, rows: Sequence[Row]) -> None:
        self._writer.writerows(
            [
                neutral(row.profile),
                *(_cell(row.fields.get(name)) for name in self._fields),
                *(_cell(row.more.get(name)) for name in self._include),
            ]
            for row in rows
        )

    @property
    def size(self) -> int:
        return self._file.tell()

    def finish(self) -> IO[bytes]:
        self._text.flush()
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        self._text.close()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return neutral(value) if isinstance(value, str) else msgspec.json.encode(value).decode()


class _Lines:
    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115

    def add(self, rows: Sequence[Row]) -> None:
        made = ({"profile": row.profile, "fields": row.fields, **row.more} for row in rows)
        self._file.write(b"".join(msgspec.json.encode(each) + b"\n" for each in made))

    @property
    def size(self) -> int:
        return self._file.tell()

    def finish(self) -> IO[bytes]:
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        self._file.close()


class _Parquet:
    """A column's type is that of its values, which is known at the end: so rows are drafted first.

    Values of several kinds, lists and objects are JSON in a column of text; the file's metadata names such
    columns (`livesegments.json`).
    """

    def __init__(self, fields: Sequence[str], include: Sequence[str]) -> None:
        self._fields, self._include = fields, include
        self._draft = tempfile.TemporaryFile()  # noqa: SIM115
        self._packer = msgspec.msgpack.Encoder()
        self._kinds: dict[str, set[str]] = {name: set() for name in fields}
        self._whole: IO[bytes] | None = None

    def add(self, rows: Sequence[Row]) -> None:
        for start in range(0, len(rows), GROUP):
            part = rows[start : start + GROUP]
            data = self._packer.encode(part)
            self._draft.write(len(data).to_bytes(8) + data)
            for row in part:
                for name, value in row.fields.items():
                    self._kinds[name].add(_kind(value))

    @property
    def size(self) -> int:
        return self._draft.tell()

    def finish(self) -> IO[bytes]:
        types = [pa.string(), *(_type(self._kinds[name]) for name in self._fields)]
        types += [pa.timestamp("ms", "UTC") if name in INSTANTS else pa.string() for name in self._include]
        names = columns(self._fields, self._include)
        as_json = [_type(self._kinds[name]) is None for name in self._fields]
        texts = [name for name, text in zip(names[1:], as_json, strict=False) if text]
        texts += [name for name in self._include if name not in INSTANTS]
        metadata = {b"livesegments.json": msgspec.json.encode(texts)}
        schema = pa.schema(list(zip(names, (each or pa.string() for each in types), strict=True)), metadata)
        self._whole = tempfile.TemporaryFile()  # noqa: SIM115
        with pq.ParquetWriter(self._whole, schema, compression="zstd") as writer:
            for rows in self._drafted():
                writer.write_table(pa.Table.from_arrays(self._arrays(rows, schema, as_json), schema=schema))
        self._whole.seek(0)
        return self._whole

    def close(self) -> None:
        self._draft.close()
        if self._whole is not None:
            self._whole.close()

    def _drafted(self) -> Iterator[list[Row]]:
        """In groups of about `GROUP`: what came in small pieces is gathered."""
        self._draft.seek(0)
        gathered: list[Row] = []
        while head := self._draft.read(8):
            gathered += msgspec.msgpack.decode(self._draft.read(int.from_bytes(head)), type=list[Row])
            if len(gathered) >= GROUP:
                yield gathered
                gathered = []
        if gathered:
            yield gathered

    def _arrays(self, rows: list[Row], schema: pa.Schema, as_json: Sequence[bool]) -> list[pa.Array]:
        made: list[Iterable[Any]] = [[row.profile for row in rows]]
        for name, text in zip(self._fields, as_json, strict=True):
            values = (row.fields.get(name) for row in rows)
            made.append([_json(value) for value in values] if text else list(values))
        for name in self._include:
            values = (row.more.get(name) for row in rows)
            made.append([_instant(value) if name in INSTANTS else _json(value) for value in values])
        return [pa.array(column, field.type) for column, field in zip(made, schema, strict=True)]


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "int" if abs(value) <= _SAFE else "long" if -_INT64 <= value < _INT64 else "json"
        case float():
            return "float"
        case str():
            return "text"
    return "json"


def _type(kinds: set[str]) -> Any:
    """None where JSON must stand for it; a column without any value is of text."""
    match sorted(kinds):
        case [] | ["text"]:
            return pa.string()
        case ["boolean"]:
            return pa.bool_()
        case ["int"] | ["long"] | ["int", "long"]:
            return pa.int64()
        case ["float"] | ["float", "int"]:
            return pa.float64()
    return None


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
