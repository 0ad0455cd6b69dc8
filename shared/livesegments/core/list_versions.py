"""Which list a change meant that names no version of it.

Example: the static segment "vips" was there in its version 1 up to commit 40 of a partition, and is in
version 2 since. A change of commit 30 that names no version meant version 1, one of commit 50 version 2. One
of commit 5, before any was there, meant the next one: whether that is version 1 or 2 depends on when its
profile was brought to the definitions, so nothing is said of it, unless there never was another than
version 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Since: TypeAlias = tuple[int, int]
"""(version, the last commit before the partition served it)."""


class ListVersions:
    """`served`: static segment → what a partition has served of it, the newest first. What came before the
    oldest of these isn't known, unless that is version 1."""

    def __init__(self, served: Mapping[str, Iterable[Since]]) -> None:
        self._served = {id_: tuple(each) for id_, each in served.items()}
        self.alone = {id_: 1 for id_, each in self._served.items() if each and each[0][0] == 1}
        """Those of which there never was another version, so a list that was waited for is that."""

    def at(self, commit: int, names: Iterable[str]) -> dict[str, int]:
        """The versions that were served when a commit was made; left out are those of which none is known."""
        found = {}
        for name in names:
            for version, before in self._served.get(name, ()):
                if before < commit:
                    found[name] = version
                    break
        return found


UNKNOWN = ListVersions({})
