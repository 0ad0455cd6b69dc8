"""Ids that were read, on disk: each once, partition by partition in byte order, however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path


class Spool:
    """A file in a folder of its own, which whoever made it removes. One thread at a time uses it."""

    def __init__(self, folder: Path) -> None:
        self._db = sqlite3.connect(folder / "ids", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE ids (part INTEGER, id BLOB, PRIMARY KEY (part, id)) WITHOUT ROWID")

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

    def piece(self, part: int, after: str, most: int) -> list[str]:
        """The next so many behind an id."""
        rows = self._db.execute(
            "SELECT id FROM ids WHERE part = ? AND id > ? ORDER BY id LIMIT ?", (part, after.encode(), most)
        )
        return [id_.decode() for (id_,) in rows]

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM ids").fetchone()
        return int(count)

    def close(self) -> None:
        self._db.close()
