"""Rows of a scan are cut into chunks of whole profiles, by columns: no row becomes an object on the way."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from livesegments.history.columns import Layout
from livesegments.history.protocol import encode


class Cutting:
    """`rows` are sorted by profile; those of the i-th are at [bounds[i], bounds[i + 1])."""

    def __init__(self, rows: pa.Table, bounds: Sequence[int]) -> None:
        self._bounds = array("i", bounds)
        self._commits, self._times, self._ids, self._properties, names = (
            _whole(rows.column(name)) for name in ("commit", "time", "id", "properties", "name")
        )
        coded = names.dictionary_encode()
        self._names, self._codes = coded.dictionary.to_pylist(), coded.indices

    def chunk(self, share: float, profiles: list[str], first: int, end: int) -> bytes:
        """Of the profiles at [first, end)."""
        bounds = self._bounds[first : end + 1]
        begin, stop = bounds[0], bounds[-1]
        places = array("i", (at - begin for at in bounds)).tobytes()
        return encode(
            Layout(
                share,
                profiles,
                places,
                _numbers(self._commits, 8, begin, stop),
                self._names,
                _numbers(self._codes, 4, begin, stop),
                _numbers(self._times, 8, begin, stop),
                *_texts(self._ids, begin, stop),
                *_texts(self._properties, begin, stop),
            )
        )


def _whole(column: pa.ChunkedArray) -> Any:
    found = column.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def _numbers(column: Any, width: int, begin: int, stop: int) -> bytes:
    at = column.offset
    return _part(column.buffers()[1], width * (at + begin), width * (at + stop))


def _texts(column: Any, begin: int, stop: int) -> tuple[bytes, bytes]:
    """Where the texts begin, and the end of the last; and the texts."""
    _, bounds, texts = column.buffers()
    at = column.offset
    places = _part(bounds, 4 * (at + begin), 4 * (at + stop + 1))
    first, end = (int.from_bytes(part, "little") for part in (places[:4], places[-4:]))
    return places, _part(texts, first, end)


def _part(buffer: pa.Buffer | None, begin: int, stop: int) -> bytes:
    found: bytes = b"" if buffer is None else buffer.slice(begin, stop - begin).to_pybytes()
    return found
