"""Transitions as the outbox has them, decoded only where somebody looks at them.

What a storm of due times announces goes from the native kernel to the store and to the broker as bytes: no
transition becomes an object on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import msgspec

from livesegments.core.event import Transition

_decoder = msgspec.msgpack.Decoder(list[Transition])
_encode = msgspec.msgpack.Encoder().encode


class Told(Sequence[Transition]):
    """`count` transitions in `parts`, arrays in msgpack."""

    __slots__ = ("_all", "_count", "counts", "parts")

    def __init__(self, parts: Sequence[bytes], count: int) -> None:
        self.parts = parts
        self._count = count
        self._all: list[Transition] | None = None
        self.counts: Sequence[tuple[str, str, int]] | None = None
        """Of every kind and cause, how many; once somebody has counted them."""

    @classmethod
    def of(cls, transitions: Sequence[Transition]) -> Told:
        if isinstance(transitions, cls):
            return transitions
        told = cls([_encode(transitions)], len(transitions))
        told._all = list(transitions)
        return told

    @classmethod
    def joined(cls, several: Iterable[Sequence[Transition]]) -> Told:
        """One after the other."""
        several = list(several)
        if len(several) == 1:
            return cls.of(several[0])
        parts, count = list[bytes](), 0
        for each in several:
            parts += cls.of(each).parts
            count += len(each)
        return cls(parts, count)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Transition: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Transition]: ...
    def __getitem__(self, at: int | slice) -> Transition | Sequence[Transition]:
        return self._decoded[at]

    def __iter__(self) -> Iterator[Transition]:
        return iter(self._decoded)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._decoded == list(other)

    __hash__ = None  # type: ignore[assignment]

    @property
    def encoded(self) -> bytes:
        """Of one commit: as its entry of the outbox has them."""
        (part,) = self.parts
        return part

    @property
    def _decoded(self) -> list[Transition]:
        if self._all is None:
            self._all = [each for part in self.parts for each in _decoder.decode(part)]
        return self._all
