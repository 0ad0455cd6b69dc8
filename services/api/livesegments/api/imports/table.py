"""A CSV file as rows: which encoding and delimiter it has, and its records, one by one. Pure.

Example: Excel in Germany saves `name;city` with the bytes of Windows-1252. Without a word from its sender it
is read as what it is: by its byte order mark, else as UTF-8 if it is that, else as Windows-1252; and by the
delimiter that its first record has most.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from typing import IO, Any

from msgspec import Struct

HEAD_BYTES = 1 << 20
"""So much of the file's beginning is looked at."""
MAX_COLUMNS = 200
MAX_ROWS = 1_000_000
MAX_CELL = 8_000
"""Characters."""
MAX_SHOWN = 60
DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15", "windows-1250", "windows-1251")
_HALVES = "livesegments.halves"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Unsuitable(Exception):
    """The file as a whole can't be read; the message says why, and what to do."""


class Form(Struct, frozen=True):
    """How the file is written, and its columns' names."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]


class Row(Struct, frozen=True):
    """`number` counts the records from 1. `fault`: why its cells can't be read, or ""."""

    number: int
    cells: list[str]
    fault: str = ""


def form_of(head: bytes, encoding: str | None, delimiter: str | None) -> Form:
    """By the beginning of the file, at least `HEAD_BYTES` of it or all. Raises Unsuitable."""
    encoding = _encoding(head, encoding)
    # what is looked at may end within a character
    text = codecs.getincrementaldecoder(encoding)(_HALVES).decode(head)
    if not text.strip():
        raise Unsuitable("the file is empty: its first line has to name the columns")
    delimiter = delimiter or _delimiter(text)
    try:
        first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise Unsuitable(f"the first line can't be read ({error}): it has to name the columns") from error
    header = tuple(name.strip() for name in first)
    if any(map(_has_halves, header)):
        raise Unsuitable(f"the first line has bytes that are not {encoding}: name the encoding that it has")
    if len(header) > MAX_COLUMNS:
        raise Unsuitable(f"the file has {len(header)} columns; at most {MAX_COLUMNS} are read")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise Unsuitable(f"several columns are called {twice[0][:MAX_SHOWN]!r}: give each a name of its own")
    if not any(header):
        raise Unsuitable("the first line names no column")
    return Form(encoding, delimiter, header)


def rows(raw: IO[bytes], form: Form) -> Iterator[Row]:
    """The records behind the header. One that can't be read has a fault, and those behind it go on."""
    text = io.TextIOWrapper(raw, form.encoding, _HALVES, newline="")
    reader = csv.reader(text, delimiter=form.delimiter, strict=True)
    number = -1
    for cells in _records(reader):
        if cells == []:
            continue
        number += 1
        if number == 0:
            continue
        if number > MAX_ROWS:
            raise Unsuitable(f"the file has more than {MAX_ROWS:,} rows: split it")
        if isinstance(cells, str):
            yield Row(number, [], cells)
            continue
        yield Row(number, cells, _fault(cells, form))


def _records(reader: Any) -> Iterator[list[str] | str]:
    """Each record, or why it can't be read."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield f"its quotes don't fit: {error}"


def _has_halves(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text)


def _fault(cells: list[str], form: Form) -> str:
    if len(cells) != len(form.header):
        return f"has {len(cells)} cells, and the header names {len(form.header)} columns"
    for cell, name in zip(cells, form.header, strict=True):
        if len(cell) > MAX_CELL:
            return f"{name[:MAX_SHOWN]}: has {len(cell)} characters; at most {MAX_CELL} are read"
        if _has_halves(cell):
            return f"{name[:MAX_SHOWN]}: has bytes that are not {form.encoding}"
    return ""


def _halves(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no characters, each as half of a surrogate pair: `surrogateescape` also of ASCII bytes,
    which UTF-16 may not be able to read either."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_HALVES, _halves)


def _encoding(head: bytes, given: str | None) -> str:
    for mark, name in _MARKS:
        if head.startswith(mark) and given in (None, name, name.removesuffix("-sig")):
            return name
    if given is not None:
        return given
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _delimiter(text: str) -> str:
    """The one that the first record has most of, outside quotes; a comma where it has none."""
    counts = dict.fromkeys(DELIMITERS, 0)
    quoted = False
    for each in text:
        if each == '"':
            quoted = not quoted
        elif each in "\r\n" and not quoted and any(counts.values()):
            break
        elif not quoted and each in counts:
            counts[each] += 1
    return max(DELIMITERS, key=lambda each: counts[each])


class Joined(io.RawIOBase):
    """Parts of a file, one behind the other; each is opened when its turn comes."""

    def __init__(self, parts: Iterable[IO[bytes]]) -> None:
        self._parts = iter(parts)
        self._part: IO[bytes] | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._part is None:
                self._part = next(self._parts, None)
                if self._part is None:
                    return 0
            data = self._part.read(len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)
            self._part.close()
            self._part = None

    def close(self) -> None:
        if self._part is not None:
            self._part.close()
        super().close()
