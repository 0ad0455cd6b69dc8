"""The stored states that an owner remembers, bounded in bytes: those that were used lately stay.

They are kept as they are stored, not decoded: a decoded profile is some fifty small objects all over the
heap. Reading those again costs more than decoding the few hundred bytes afresh, and takes ten times the
memory.

Two generations instead of a list in order of use: an entry that is used moves to the young one; when
that has half the bytes it becomes the old one, and what was still in the old one is forgotten. A hit costs
one lookup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from livesegments.wire.profilekey import ProfileKey

ENTRY_BYTES = 200
"""About what an entry takes beside its state: the key, the objects' heads, the place in the table."""


class States(Protocol):
    """The port: `Cache`, or the native kernel's. `aged`: entries have become old."""

    @property
    def aged(self) -> bool: ...
    def get(self, key: ProfileKey) -> bytes | None: ...
    def put(self, key: ProfileKey, state: bytes) -> None: ...
    def put_all(self, states: Mapping[ProfileKey, bytes]) -> None: ...
    def missing(self, wanted: Iterable[ProfileKey]) -> list[ProfileKey]: ...
    def trim(self) -> None: ...


class Cache:
    """Key → a profile's state; empty of one never stored."""

    def __init__(self, limit_bytes: int) -> None:
        self._half = limit_bytes // 2
        self._young: dict[ProfileKey, bytes] = {}
        self._old: dict[ProfileKey, bytes] = {}
        self._young_bytes = 0

    @property
    def aged(self) -> bool:
        """Whether entries have become old, so that they will be forgotten if they are not used."""
        return bool(self._old)

    def get(self, key: ProfileKey) -> bytes | None:
        state = self._young.get(key)
        if state is None:
            state = self._old.pop(key, None)
            if state is not None:
                self.put(key, state)
        return state

    def put(self, key: ProfileKey, state: bytes) -> None:
        before = self._young.get(key)
        self._young[key] = state
        self._young_bytes += len(state) - len(before) if before is not None else len(state) + ENTRY_BYTES

    def put_all(self, states: Mapping[ProfileKey, bytes]) -> None:
        young, more = self._young, 0
        for key, state in states.items():
            before = young.get(key)
            young[key] = state
            more += len(state) - len(before) if before is not None else len(state) + ENTRY_BYTES
        self._young_bytes += more

    def missing(self, wanted: Iterable[ProfileKey]) -> list[ProfileKey]:
        """Those that are not here, once each; the others are made young."""
        young = self._young
        return [key for key in dict.fromkeys(wanted) if key not in young and self.get(key) is None]

    def trim(self) -> None:
        """Only between steps: whoever holds a key that `missing` did not name may count on it till then."""
        if self._young_bytes > self._half:
            self._old, self._young, self._young_bytes = self._young, {}, 0
