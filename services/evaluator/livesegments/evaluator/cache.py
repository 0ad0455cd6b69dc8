"""The profiles that an owner has decoded, bounded: the ones used of late stay.

Two generations instead of a list in order of use: an entry that is used moves to the young one; when
that is full it becomes the old one, and what was still in the old one is forgotten. A hit costs one
lookup, and between `limit` / 2 and `limit` entries are kept.
"""

from __future__ import annotations

from collections.abc import Iterable

from livesegments.core.profile import Profile


class Slot:
    """A profile under its key; `wake_ms` is the due instant that the store (or a commit) has for it."""

    __slots__ = ("id", "profile", "wake_ms", "workspace")

    def __init__(self, workspace: str, id_: str, profile: Profile | None) -> None:
        self.workspace = workspace
        self.id = id_
        self.profile = profile
        self.wake_ms = None if profile is None else profile.wake_at


class Cache:
    def __init__(self, limit: int) -> None:
        self._half = max(limit // 2, 1)
        self.young: dict[str, Slot] = {}
        self._old: dict[str, Slot] = {}

    def __len__(self) -> int:
        return len(self.young) + len(self._old)

    def get(self, key: str) -> Slot | None:
        slot = self.young.get(key)
        if slot is None:
            slot = self._old.pop(key, None)
            if slot is not None:
                self.young[key] = slot
        return slot

    def put(self, key: str, slot: Slot) -> None:
        self.young[key] = slot

    def missing(self, wanted: Iterable[str]) -> list[str]:
        """Those that are not here, once each; the others are made young."""
        return [key for key in dict.fromkeys(wanted) if self.get(key) is None]

    def trim(self) -> None:
        """Only between steps: whoever holds a key that `missing` did not name may count on it till then."""
        if len(self.young) >= self._half:
            self._old, self.young = self.young, {}
