"""History of many profiles as columns: a filling hands it to the native kernel, which makes no objects of it.

Example: a chunk has 900 profiles with 4,000 events. It is one array in msgpack of eleven parts: the share of
all events that is done with it, the ids of the profiles, where the events of each begin (and the end), and of
the events the numbers of their commits, the names, by their numbers in a list of these, the times, and the
ids and properties, each as one text with the places where its parts begin. Numbers are little-endian, of 8
bytes (commits and times) or of 4.

Whoever wants the events of one profile as objects reads them from here, too (`Columns`).
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple, overload

import msgspec
from msgspec import Raw

from livesegments.core.event import Event
from livesegments.history.protocol import NULL, Filled, encode

assert sys.byteorder == "little", "columns are written as they lie in memory"


class Layout(NamedTuple):
    """The parts of a chunk. `bounds`: of the events of each profile; those of texts may begin anywhere."""

    share: float
    profiles: list[str]
    bounds: bytes
    commits: bytes
    names: list[str]
    codes: bytes
    times: bytes
    id_bounds: bytes
    ids: bytes
    property_bounds: bytes
    properties: bytes


_decode = msgspec.msgpack.Decoder(Layout).decode
_json = msgspec.json.Encoder()


class Columns(Sequence[Filled]):
    """The profiles of a chunk at [first, end), each with its events and without states made of them."""

    def __init__(
        self, data: bytes, layout: Layout | None = None, first: int = 0, end: int | None = None
    ) -> None:
        self.data = data
        self._layout = layout or _decode(data)
        self.first = first
        self.end = len(self._layout.profiles) if end is None else end

    @property
    def share(self) -> float:
        return self._layout.share

    def upto(self, end: int) -> Columns:
        return Columns(self.data, self._layout, self.first, end)

    @property
    def profiles(self) -> list[str]:
        return self._layout.profiles[self.first : self.end]

    def __len__(self) -> int:
        return self.end - self.first

    def __iter__(self) -> Iterator[Filled]:
        return (self._filled(at) for at in range(self.first, self.end))

    @overload
    def __getitem__(self, at: int) -> Filled: ...
    @overload
    def __getitem__(self, at: slice) -> Columns: ...
    def __getitem__(self, at: int | slice) -> Filled | Columns:
        if isinstance(at, slice):
            first, end, step = at.indices(len(self))
            assert step == 1, "columns are cut, not thinned"
            return Columns(self.data, self._layout, self.first + first, self.first + max(first, end))
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return self._filled(self.first + at % len(self))

    def _filled(self, at: int) -> Filled:
        layout = self._layout
        first, end = _numbers("i", layout.bounds[4 * at : 4 * at + 8])
        past = (
            _numbers("q", layout.commits[8 * first : 8 * end]),
            [layout.names[code] for code in _numbers("i", layout.codes[4 * first : 4 * end])],
            _numbers("q", layout.times[8 * first : 8 * end]),
            _texts(layout.id_bounds, layout.ids, first, end),
            _texts(layout.property_bounds, layout.properties, first, end),
        )
        return Filled(layout.profiles[at], Raw(encode(past)), NULL)


def written(share: float, pasts: Iterable[tuple[str, Sequence[tuple[int, Event]]]]) -> bytes:
    """A chunk of profiles with their events, each with the number of its commit."""
    profiles, counts, events = list[str](), [0], list[tuple[int, Event]]()
    for profile, past in pasts:
        profiles.append(profile)
        counts.append(len(past))
        events += past
    names = {name: code for code, name in enumerate(dict.fromkeys(event.name for _, event in events))}
    id_bounds, ids = _joined([event.id for _, event in events])
    property_bounds, properties = _joined([_json.encode(event.properties).decode() for _, event in events])
    return encode(
        Layout(
            share,
            profiles,
            array("i", accumulate(counts)).tobytes(),
            array("q", [commit for commit, _ in events]).tobytes(),
            list(names),
            array("i", [names[event.name] for _, event in events]).tobytes(),
            array("q", [event.time_ms for _, event in events]).tobytes(),
            id_bounds,
            ids,
            property_bounds,
            properties,
        )
    )


def profiles_of(chunk: Sequence[Filled]) -> list[str]:
    """The ids of a chunk's profiles, whatever it is made of."""
    return chunk.profiles if isinstance(chunk, Columns) else [each.profile for each in chunk]


def joined(first: Sequence[Filled], rest: Sequence[Filled]) -> Sequence[Filled]:
    """Two parts of a chunk that lie side by side."""
    if isinstance(first, Columns) and isinstance(rest, Columns):
        return first.upto(rest.end) if rest else first
    return [*first, *rest]


def _joined(texts: Sequence[str]) -> tuple[bytes, bytes]:
    parts = [text.encode() for text in texts]
    return array("i", accumulate(map(len, parts), initial=0)).tobytes(), b"".join(parts)


def _numbers(code: str, data: bytes) -> list[int]:
    found = array(code)
    found.frombytes(data)
    return found.tolist()


def _texts(bounds: bytes, texts: bytes, first: int, end: int) -> list[str]:
    base = int.from_bytes(bounds[:4], "little")
    places = _numbers("i", bounds[4 * first : 4 * end + 4])
    return [texts[start - base : stop - base].decode() for start, stop in pairwise(places)]
