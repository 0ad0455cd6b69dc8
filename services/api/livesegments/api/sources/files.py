"""Ids out of CSV and NDJSON, line by line: pure but for the lines that are read."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator
from typing import Any, BinaryIO, Literal

import msgspec

from livesegments.api.sources.connections import Broken

MAX_LINE = 1 << 20
PROFILE = "profile"


def ids(file: BinaryIO, form: Literal["csv", "ndjson"], column: str) -> Generator[Any]:
    """The value of every row, as it stands there. Raises Broken."""
    return _csv(file, column) if form == "csv" else _ndjson(file, column or PROFILE)


def _lines(file: BinaryIO) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise Broken(f"line {number} is longer than {MAX_LINE:,} bytes")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise Broken(f"line {number} is no UTF-8") from error
        if "\0" in text:
            raise Broken(f"line {number} has the character NUL: is it text?")
        yield text


def _csv(file: BinaryIO, column: str) -> Generator[str]:
    rows = csv.reader(_lines(file), strict=True)
    try:
        head = next(rows, None)
        if head is None:
            return
        if column and column not in head:
            raise Broken(f"the first line has no column '{column[:100]}'")
        at = head.index(column) if column else 0
        for row in rows:
            if row:
                if len(row) != len(head):
                    raise Broken(f"line {rows.line_num} has {len(row)} fields, the first line {len(head)}")
                yield row[at]
    except csv.Error as error:
        raise Broken(f"line {rows.line_num} is no CSV: {error}") from error


def _ndjson(file: BinaryIO, field: str) -> Generator[Any]:
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise Broken(f"line {number} is no JSON: {error}") from error
        yield row.get(field) if isinstance(row, dict) else row
