"""The profiles that a partition keeps out because they were erased; asked only where a profile has no state.

Where nobody was ever erased, `check` is None, and an event costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.erasures import CHANGED, Suppressed, decode_suppressed, encode
from livesegments.wire.profilekey import ProfileKey, split
from livesegments.wire.suppressed import digest


class Suppression:
    """`key` is the installation's; `stored` are the fields of the partition's hash."""

    def __init__(self, key: str, stored: Mapping[str, bytes]) -> None:
        self._key = key
        self._digests = {name: decode_suppressed(data) for name, data in stored.items() if name != CHANGED}

    @property
    def check(self) -> Callable[[ProfileKey], bool] | None:
        return self._has if self._digests else None

    @property
    def digests(self) -> list[str]:
        return sorted(self._digests)

    def get(self, name: str) -> Suppressed | None:
        """`name` is a digest."""
        return self._digests.get(name)

    def put(self, commit: Commit, name: str, who: Suppressed) -> None:
        """`name` is a digest."""
        self._digests[name] = who
        fields: dict[str, str | bytes] = {name: encode(who), CHANGED: str(commit.number)}
        commit.put_fields(keys.suppressed(commit.partition), fields)

    def drop(self, commit: Commit, name: str) -> None:
        self._digests.pop(name, None)
        commit.drop_fields(keys.suppressed(commit.partition), [name])
        commit.put_fields(keys.suppressed(commit.partition), {CHANGED: str(commit.number)})

    def _has(self, key: ProfileKey) -> bool:
        return digest(self._key, *split(key)) in self._digests
