"""What a sequence with `same` keeps for each value: a dictionary of parts while they are few, parts that stay
bytes where they are many.

Example: 10,000 carts were filled. An order of the cart c7 finds the part of c7 by the hash of `c7`; the parts
of the other carts are not decoded. Those that were touched last are `recent`. When these are too many, half
of them go to the others, which lie by the newest event of each value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

import msgspec
from msgspec import Raw, Struct

from livesegments.core import chunks
from livesegments.core.absent import Awaited
from livesegments.core.chain import Begun, Chain
from livesegments.core.chunks import Chunks
from livesegments.core.count import packed
from livesegments.core.hashes import Hashes, hashed
from livesegments.core.trail import Stamp, Stamps

B = TypeVar("B", bound=Begun | Awaited)

SPARE = 8
"""A heap of due times has at most so many entries more than twice the parts."""

if TYPE_CHECKING:
    Recent: TypeAlias = dict[str, Any]
else:
    Recent = dict[str, Raw]  # what msgspec is to decode: nothing of a part


class Part(Struct, Generic[B], array_like=True):
    """What is kept for one value.

    chain   of its first events; None while there are none
    trails  the stamps of each later step
    last    the newest event with the value
    size    how many stamps it has
    due_ms  when the clock changes more of it than that it ends
    """

    chain: B | None
    trails: list[Stamps]
    last: Stamp
    size: int = 0
    due_ms: int | None = None


class Apart(Struct, Generic[B], array_like=True):
    """Few parts.

    parts  by the value, as text (module `measure`); those that had an event last come last
    queue  a heap of (due, value); an entry with another due than its part has means nothing
    total  the stamps of all parts
    until  the condition holds until then, if that is not past
    best   the value by which it does
    """

    parts: dict[str, Part[B]]
    queue: list[tuple[int, str]]
    total: int = 0
    until: int = 0
    best: str | None = None

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[tuple[str, Part[B]]]:
        yield from self.parts.items()

    def part(self, value: str) -> Part[B] | None:
        """`changed` must be called afterwards, whatever was done to it."""
        return self.parts.get(value)

    def put_last(self, value: str, part: Part[B]) -> None:
        """A part that is new, or the newest event of which has come."""
        self.parts.pop(value, None)
        self.parts[value] = part

    def changed(self, value: str, part: Part[B], due_ms: int | None) -> None:
        """`due_ms` is what the part had before."""
        if part.due_ms is not None and part.due_ms != due_ms:
            heappush(self.queue, (part.due_ms, value))
        if len(self.queue) > 2 * len(self.parts) + SPARE:
            self.queue = sorted(entry for entry in {*self.queue} if self._is_valid(entry))

    def next_due(self) -> tuple[int, str] | None:
        queue = self.queue
        while queue and not self._is_valid(queue[0]):
            heappop(queue)
        return queue[0] if queue else None

    def oldest(self) -> tuple[int, str] | None:
        """The value that had no event for the longest, after the time of its newest; nearly, where events
        are late."""
        for value, part in self.parts.items():
            return part.last[0], value
        return None

    def forget(self, most: int) -> None:
        """The values that had no event for the longest, until `most` stamps are left, or one value."""
        for value in sorted(self.parts, key=lambda each: self.parts[each].last)[:-1]:
            if self.total <= most:
                break
            self.drop(value)

    def drop(self, value: str) -> None:
        self.total -= self.parts.pop(value).size

    def _is_valid(self, entry: tuple[int, str]) -> bool:
        part = self.parts.get(entry[1])
        return part is not None and part.due_ms == entry[0]


class Many(Struct, Generic[B], dict=True):
    """Many parts; `total`, `until` and `best` as `Apart` has them.

    recent  those that were touched last, by the value; each stays encoded until it is asked for
    others  (time of the newest event, value, the part as msgpack); of a part that is as a single event leaves
            it, that event's id
    times   these times, by the hashes of the values
    queue   (due, value) of every part that the clock changes
    """

    recent: Recent
    others: Chunks[tuple[int, str, Any]]
    times: Hashes
    queue: Chunks[tuple[int, str]]
    total: int = 0
    until: int = 0
    best: str | None = None

    @classmethod
    def of(cls, state: Apart[B], shape: Shape[B]) -> Self:
        parts = state.parts.items()
        others = sorted((part.last[0], value, shape.stow(part)) for value, part in parts)
        queue = sorted((part.due_ms, value) for value, part in parts if part.due_ms is not None)
        times = Hashes.of((hashed(value), time_ms) for time_ms, value, _ in others)
        made = cls({}, Chunks.of(others), times, Chunks.of(queue), state.total, state.until, state.best)
        return made.read_by(shape)

    def few(self) -> Apart[B]:
        parts = dict(sorted(self, key=lambda each: each[1].last))
        return Apart(parts, list(self.queue), self.total, self.until, self.best)

    def read_by(self, shape: Shape[B]) -> Self:
        """Must be called before anything else: the state doesn't say of what shape its parts are."""
        self.__dict__["shape"] = shape
        return self

    @property
    def _shape(self) -> Shape[B]:
        found: Shape[B] = self.__dict__["shape"]
        return found

    def __len__(self) -> int:
        return len(self.recent) + len(self.others)

    def __iter__(self) -> Iterator[tuple[str, Part[B]]]:
        for time_ms, value, stowed in self.others:
            yield value, self._shape.unstow(time_ms, stowed)
        for value in [*self.recent]:
            yield value, self._opened(value)

    def part(self, value: str) -> Part[B] | None:
        part = self.recent.pop(value, None) or self._taken_out(value)
        if part is None:
            return None
        self.recent[value] = part
        return self._opened(value)

    def put_last(self, value: str, part: Part[B]) -> None:
        self.recent.pop(value, None)
        self.recent[value] = part

    def changed(self, value: str, part: Part[B], due_ms: int | None) -> None:
        if part.due_ms != due_ms:
            if due_ms is not None:
                self.queue.remove((due_ms, value))
            if part.due_ms is not None:
                self.queue.put((part.due_ms, value), (part.due_ms, value))
        if len(self.recent) > chunks.MOST:
            for each in [*self.recent][: max(chunks.MOST // 2, 1)]:
                self._put_away(each)

    def next_due(self) -> tuple[int, str] | None:
        return self.queue[0] if len(self.queue) else None

    def oldest(self) -> tuple[int, str] | None:
        if len(self.others):
            return self.others[0][:2]
        return min(self._recent_ages(), default=None)

    def forget(self, most: int) -> None:
        recent = sorted(self._recent_ages(), reverse=True)
        while self.total > most and len(self) > 1:
            if recent and not (len(self.others) and self.others[0][:2] < recent[-1]):
                self.drop(recent.pop()[1])
            else:
                self.drop(self.others[0][1])

    def drop(self, value: str) -> None:
        part = self._opened(value) if value in self.recent else self._taken_out(value)
        assert part is not None, "only what is there is dropped"
        self.recent.pop(value, None)
        self.total -= part.size
        if part.due_ms is not None:
            self.queue.remove((part.due_ms, value))

    def _recent_ages(self) -> Iterator[tuple[int, str]]:
        return ((self._opened(value).last[0], value) for value in self.recent)

    def _opened(self, value: str) -> Part[B]:
        part = self.recent[value]
        if type(part) is Raw:
            part = self.recent[value] = self._shape.part(part)
        found: Part[B] = part
        return found

    def _taken_out(self, value: str) -> Part[B] | None:
        """From the others."""
        number = hashed(value)
        for time_ms in self.times.found(number):
            entry = self.others.at_least((time_ms, value))
            if entry is not None and entry[:2] == (time_ms, value):
                self.others.remove((time_ms, value))
                self.times.remove(number, time_ms)
                return self._shape.unstow(time_ms, entry[2])
        return None

    def _put_away(self, value: str) -> None:
        """From the recent ones to the others."""
        time_ms, part = self._opened(value).last[0], self.recent.pop(value)
        self.others.put((time_ms, value, self._shape.stow(part)), (time_ms, value))
        self.times.put(hashed(value), time_ms)


Parts: TypeAlias = Apart[B] | Many[B]


def fitted(state: Parts[B], shape: Shape[B]) -> Parts[B]:
    """In the form that their number wants, and that of their stamps."""
    count = max(len(state), state.total)
    if isinstance(state, Apart):
        return Many.of(state, shape) if count > chunks.LISTED else state
    return state.few() if count <= chunks.FEW else state


class Shape(Generic[B]):
    """How the parts of one kind are stored: their chain is a `shape`, and `steps` the later steps."""

    def __init__(self, shape: type[B], chain: Chain[B], steps: int) -> None:
        part, few, many = Part[shape], Apart[shape], Many[shape]  # type: ignore[valid-type]
        self.part: Callable[[Raw | bytes], Part[B]] = msgspec.msgpack.Decoder(part).decode
        self._few: Callable[[Raw | bytes], Apart[B]] = msgspec.msgpack.Decoder(few).decode
        self._many: Callable[[Raw | bytes], Many[B]] = msgspec.msgpack.Decoder(many).decode
        self._chain, self._steps = chain, steps

    def parts(self, raw: Raw | bytes) -> Parts[B]:
        return self._many(raw).read_by(self) if memoryview(raw)[0] & _KIND == _MAP else self._few(raw)

    def stow(self, part: Part[B]) -> str | bytes:
        return part.last[1] if part.size == 1 and part == self._single(part.last) else _encode(part)

    def unstow(self, time_ms: int, stowed: str | bytes) -> Part[B]:
        return self._single((time_ms, stowed)) if isinstance(stowed, str) else self.part(stowed)

    def _single(self, stamp: Stamp) -> Part[B]:
        return Part(self._chain.single(stamp), [[] for _ in range(self._steps)], stamp, 1)


_encode = msgspec.msgpack.Encoder(enc_hook=packed).encode
_KIND, _MAP = 0xF0, 0x80
"""The first byte of a map in msgpack, of few entries."""
