"""Chunks of a scan and pieces of lives in files, each behind its length; another process may still be writing
one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from livesegments.history.columns import Columns
from livesegments.history.companion import LENGTH
from livesegments.history.protocol import Chunk, Filled, Piece, encode

_filled: msgspec.msgpack.Decoder[tuple[float, list[Filled]]] = msgspec.msgpack.Decoder(
    tuple[float, list[Filled]]
)
_chunks: msgspec.msgpack.Decoder[tuple[float, Chunk]] = msgspec.msgpack.Decoder(tuple[float, Chunk])
_pieces: msgspec.msgpack.Decoder[Piece] = msgspec.msgpack.Decoder(Piece)


def put_chunk(file: BinaryIO, share: float, chunk: Chunk | list[Filled]) -> None:
    """`share` of all events are done with this chunk."""
    put(file, encode((share, chunk)))


def put(file: BinaryIO, data: bytes) -> None:
    """A chunk that is encoded."""
    file.write(len(data).to_bytes(LENGTH))
    file.write(data)


def chunks(path: Path) -> Iterator[tuple[float, Chunk]]:
    """The chunks that `put_chunk` wrote: (share, chunk)."""
    with path.open("rb") as file:
        while head := file.read(LENGTH):
            yield _chunks.decode(file.read(int.from_bytes(head)))


class Fills:
    """The chunks of a scan, of a file that another process may still be writing."""

    def __init__(self, path: Path, columns: bool = False) -> None:
        """`columns`: they are as `history.columns` has them."""
        self._columns = columns
        self._path = path
        self._at = 0

    def more(self) -> Iterator[tuple[float, Sequence[Filled]]]:
        """Those that are there whole, and were not read before."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            while len(head := file.read(LENGTH)) == LENGTH:
                length = int.from_bytes(head)
                data = file.read(length)
                if len(data) < length:
                    return
                self._at += LENGTH + length
                if self._columns:
                    chunk = Columns(data)
                    yield chunk.share, chunk
                else:
                    yield _filled.decode(data)


def fills(path: Path, columns: bool = False) -> Iterator[tuple[float, Sequence[Filled]]]:
    """The chunks of a scan that is done."""
    return Fills(path, columns).more()


def pieces(path: Path) -> Iterator[Piece]:
    """The pieces of `lives`, in order."""
    with path.open("rb") as file:
        while head := file.read(LENGTH):
            yield _pieces.decode(file.read(int.from_bytes(head)))
