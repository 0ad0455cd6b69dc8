"""Ids that were read, on disk: each once, partition by partition in byte order, however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path


class Spool:
    """A file in a folder of its own, which whoever made it removes. One thread at a time uses it."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "ids", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE ids (part INTEGER, id BLOB, PRIMARY KEY (part, id)) WITHOUT ROWID")
        self._db.execute("CREATE TABLE met (id BLOB PRIMARY KEY) WITHOUT ROWID")

    def add(self, rows: Iterable[tuple[int, str]]) -> None:
        """(partition, id); those that are there already stay."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR IGNORE INTO ids VALUES (?, ?)", ((part, id_.encode()) for part, id_ in rows)
        )
        self._db.execute("COMMIT")

    def drop(self, rows: Iterable[tuple[int, str]]) -> None:
        self._db.executemany(
            "DELETE FROM ids WHERE part = ? AND id = ?", ((part, id_.encode()) for part, id_ in rows)
        )

    def begin(self) -> None:
        """Forgets who was met."""
        self._db.execute("DELETE FROM met")

    def met(self, part: int, ids: Sequence[str]) -> list[str]:
        """Notes that these are met; those that are not here, in byte order."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR IGNORE INTO met VALUES (?)", ((id_.encode(),) for id_ in ids))
        self._db.execute("COMMIT")
        here = {id_ for id_ in ids if self._has(part, id_)}
        return sorted(set(ids) - here, key=str.encode)

    def unmet(self, part: int, after: str, most: int) -> list[str]:
        """The next so many behind an id that were not met."""
        rows = self._db.execute(
            "SELECT id FROM ids WHERE part = ? AND id > ? AND id NOT IN met ORDER BY id LIMIT ?",
            (part, after.encode(), most),
        )
        return [id_.decode() for (id_,) in rows]

    def _has(self, part: int, id_: str) -> bool:
        found = self._db.execute("SELECT 1 FROM ids WHERE part = ? AND id = ?", (part, id_.encode()))
        return found.fetchone() is not None

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM ids").fetchone()
        return int(count)

    def close(self) -> None:
        self._db.close()
