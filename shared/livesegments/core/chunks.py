"""Many entries of a fact: its first and its last ones as lists, and chunks between that stay bytes.

Example: a sum over 30 days keeps 10,000 entries (leave, number). An event in order goes to the last ones, and
what leaves the window is among the first. Only these are decoded and encoded with the state; the chunks
between are copied as they are. Every few dozen events one chunk is filled or emptied; an event that is late
reads and writes the one chunk to which its entry belongs.

Entries are tuples (of numbers, texts and tuples), ascending; the first item of each is an instant in ms. A
place among them is given by a *probe*, a tuple with which entries are compared: what lies before `(t,)` has a
lower first item than t, whatever the others are. Up to `LISTED` entries are kept as a plain list, which takes
less (module `entries`).
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

E = TypeVar("E", bound="tuple[Any, ...]")
Probe: TypeAlias = "tuple[Any, ...]"

MOST = 32
"""A chunk that gets more entries is split, and so are the first and the last ones."""
LISTED = 128
"""From more entries than this on, they lie in chunks."""
FEW = 32
"""With so few entries left, they become a list again."""
PIECES = 16
"""More pieces are joined: what is touched is cut out of them, and every piece takes a little time."""

if TYPE_CHECKING:
    Block: TypeAlias = memoryview | bytes
    Numbers: TypeAlias = array[int] | memoryview
else:
    Block = Numbers = memoryview  # as msgspec reads it: nothing is copied

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class Between(Struct, array_like=True, dict=True):
    """
    count    how many entries
    firsts   the first item of the first entry of every chunk
    sizes    how many entries it has
    lengths  how many bytes it has
    pieces   the chunks as msgpack, one after the other; a piece has whole chunks
    """

    count: int
    firsts: Numbers
    sizes: Numbers
    lengths: Numbers
    pieces: list[Block]

    def __len__(self) -> int:
        self.firsts = numbers(self.firsts)
        return len(self.firsts)

    def read(self, chunk: int) -> list[Any]:
        """Its entries, which the caller may change only where it replaces the chunk."""
        opened: dict[Any, list[Any]] = self.__dict__
        found = opened.get(chunk)
        if found is None:
            found = opened[chunk] = self._decoded(chunk)
        return found

    def _decoded(self, chunk: int) -> list[Any]:
        start, end = self._span(chunk, chunk + 1)
        entries: list[Any] = _decode(self._cut(start, end)[0])
        tuples = _deep if any(type(item) is list for item in entries[0]) else tuple
        return list(map(tuples, entries))

    def replace(self, first: int, last: int, parts: Sequence[list[Any]]) -> None:
        """Puts `parts` where chunks from `first` to `last`, without that, were."""
        self.__dict__.clear()
        start, end = self._span(first, last)
        encoded: list[Block] = [_encode(part) for part in parts]
        pieces = [*self._cut(0, start), *encoded, *self._cut(end, sys.maxsize)]
        self.pieces = pieces if len(pieces) <= PIECES else [b"".join(pieces)]
        firsts, sizes, lengths = map(numbers, (self.firsts, self.sizes, self.lengths))
        self.count += sum(map(len, parts)) - sum(sizes[first:last])
        firsts[first:last] = array("q", [part[0][0] for part in parts])
        sizes[first:last] = array("q", map(len, parts))
        lengths[first:last] = array("q", map(len, encoded))
        self.firsts, self.sizes, self.lengths = firsts, sizes, lengths

    def find(self, probe: Probe) -> tuple[int, list[Any], int]:
        """The chunk in which an entry like `probe` has its place, its entries, and that place."""
        self.firsts, number = numbers(self.firsts), probe[0]
        low = bisect_left(self.firsts, number)
        if len(probe) > 1:
            high = bisect_right(self.firsts, number, low)
            while low < high:  # several begin with that number: their first entries decide
                middle = (low + high) // 2
                if self.read(middle)[0] < probe:
                    low = middle + 1
                else:
                    high = middle
        chunk = max(low - 1, 0)
        entries = self.read(chunk)
        return chunk, entries, bisect_left(entries, probe)

    def at(self, place: int) -> Any:
        ends = list(accumulate(numbers(self.sizes)))
        chunk = bisect_right(ends, place)
        return self.read(chunk)[place - ends[chunk]]

    def _span(self, first: int, last: int) -> tuple[int, int]:
        """The bytes of some chunks, of those of all."""
        lengths = self.lengths = numbers(self.lengths)
        start = sum(lengths[:first])
        return start, start + sum(lengths[first:last])

    def _cut(self, start: int, end: int) -> list[Block]:
        found = list[Block]()
        for piece in self.pieces:
            if end <= 0:
                break
            if start < len(piece):
                found.append(memoryview(piece)[max(start, 0) : end])
            start, end = start - len(piece), end - len(piece)
        return found


class Chunks(Struct, Generic[E], rename={"head": "h", "between": "b", "tail": "t"}, eq=False):
    """
    head     the first entries; none only where there are no others
    between  the next ones
    tail     the last ones; there may be none
    """

    head: list[E]
    between: Between
    tail: list[E]

    @classmethod
    def of(cls, entries: list[E]) -> Chunks[E]:
        half = max(MOST // 2, 1)
        between = Between(0, array("q"), array("q"), array("q"), [])
        end = max(len(entries) - half, half)
        parts = [entries[start : min(start + half, end)] for start in range(half, end, half)]
        between.replace(0, 0, parts)
        return cls(entries[:half], between, entries[end:])

    def __len__(self) -> int:
        return len(self.head) + self.between.count + len(self.tail)

    def __iter__(self) -> Iterator[E]:
        yield from self.head
        for chunk in range(len(self.between)):
            yield from self.between.read(chunk)
        yield from self.tail

    def __reversed__(self) -> Iterator[E]:
        yield from reversed(self.tail)
        for chunk in range(len(self.between) - 1, -1, -1):
            yield from reversed(self.between.read(chunk))
        yield from reversed(self.head)

    def __getitem__(self, index: int) -> E:
        if not index and self.head:
            return self.head[0]
        size = len(self)
        at = index + size if index < 0 else index
        if not 0 <= at < size:
            raise IndexError(index)
        if at < len(self.head):
            return self.head[at]
        if at >= size - len(self.tail):
            return self.tail[at - size]
        found: E = self.between.at(at - len(self.head))
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Chunks | list) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def at_least(self, probe: Probe) -> E | None:
        head, tail = self.head, self.tail
        if tail and tail[0] < probe:
            at = bisect_left(tail, probe)
            return tail[at] if at < len(tail) else None
        if head and head[-1] >= probe:
            return head[bisect_left(head, probe)]
        if self.between.count:
            chunk, entries, at = self.between.find(probe)
            if at == len(entries) and chunk + 1 < len(self.between):
                entries, at = self.between.read(chunk + 1), 0
            if at < len(entries):
                found: E = entries[at]
                return found
        return tail[0] if tail else None

    def below(self, probe: Probe) -> E | None:
        head, tail = self.head, self.tail
        if tail and tail[0] < probe:
            return tail[bisect_left(tail, probe) - 1]
        if self.between.count and head[-1] < probe:
            _, entries, at = self.between.find(probe)
            if at:
                found: E = entries[at - 1]
                return found
        at = bisect_left(head, probe)
        return head[at - 1] if at else None

    def descending(self, probe: Probe) -> Iterator[E]:
        yield from self.tail[: bisect_left(self.tail, probe)][::-1]
        if self.between.count and self.head[-1] < probe:
            chunk, entries, at = self.between.find(probe)
            yield from entries[:at][::-1]
            while chunk:
                chunk -= 1
                yield from reversed(self.between.read(chunk))
        yield from self.head[: bisect_left(self.head, probe)][::-1]

    def put(self, entry: E, probe: Probe) -> None:
        head, tail = self.head, self.tail
        if (tail and tail[0] < probe) or (not self.between.count and head and head[-1] < probe):
            tail.insert(bisect_left(tail, probe), entry)
            if len(tail) > MOST:
                self.between.replace(len(self.between), len(self.between), [tail[: MOST // 2]])
                del tail[: MOST // 2]
        elif not head or head[-1] >= probe or not self.between.count:
            head.insert(bisect_left(head, probe), entry)
            if len(head) > MOST:
                self.between.replace(0, 0, [head[MOST // 2 :]])
                del head[MOST // 2 :]
        else:
            chunk, entries, at = self.between.find(probe)
            entries.insert(at, entry)
            half = MOST // 2
            parts = [entries] if len(entries) <= MOST else [entries[:half], entries[half:]]
            self.between.replace(chunk, chunk + 1, parts)

    def remove(self, probe: Probe) -> None:
        head, tail = self.head, self.tail
        if tail and tail[0] < probe:
            del tail[bisect_left(tail, probe)]
        elif head[-1] >= probe:
            del head[bisect_left(head, probe)]
        else:
            if self.between.count:
                chunk, entries, at = self.between.find(probe)
                if at == len(entries) and chunk + 1 < len(self.between):
                    chunk, entries, at = chunk + 1, self.between.read(chunk + 1), 0
                if at < len(entries):
                    del entries[at]
                    self.between.replace(chunk, chunk + 1, [entries] if entries else [])
                    return
            del tail[0]
        self._refill()

    def until(self, number: int) -> list[E]:
        gone: list[E] = []
        while self.head and self.head[0][0] <= number:
            count = bisect_left(self.head, (number + 1,))
            gone += self.head[:count]
            del self.head[:count]
            self._refill()
        return gone

    def let_go(self, is_past: Callable[[int], bool]) -> None:
        """Takes out the first entry, and others as long as their first item is past."""
        ends = True
        while ends and self.head:
            count = 1
            while count < len(self.head) and is_past(self.head[count][0]):
                count += 1
            ends = count == len(self.head)
            del self.head[:count]
            self._refill()
            ends = ends and bool(self.head) and is_past(self.head[0][0])

    def pop_first(self, count: int) -> list[E]:
        gone: list[E] = []
        while count > len(gone):
            part = self.head[: count - len(gone)]
            gone += part
            del self.head[: len(part)]
            self._refill()
        return gone

    def _refill(self) -> None:
        """After entries were taken out of head or tail."""
        between = self.between
        if not self.head:
            if between.count:
                self.head = between.read(0)
                between.replace(0, 1, [])
            else:
                self.head, self.tail = self.tail, self.head
        if not self.tail and between.count:
            last = len(between) - 1
            self.tail = between.read(last)
            between.replace(last, last + 1, [])


def numbers(stored: Numbers) -> array[int]:
    """As msgspec has read them, or as they were changed since."""
    if isinstance(stored, array):
        return stored
    found = array("q")
    found.frombytes(stored)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _deep(items: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(item) if type(item) is list else item for item in items)
