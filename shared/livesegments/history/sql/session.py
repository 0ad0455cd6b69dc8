"""A DuckDB connection that knows the language: its macros, bounds on what a query may take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import duckdb

from livesegments.history.sql import fold, number, value, zone

KEPT = 8
"""Databases of so many zones are kept: making the macros of one takes longer than many a question."""


def prepare(connection: duckdb.DuckDBPyConnection, timezone: str, now_ms: int) -> None:
    """Makes the macros of a zone, for questions about the instant `now_ms` and all of its year."""
    for statement in [*zone.macros(timezone, now_ms), fold.macro(), *number.MACROS, *value.MACROS]:
        connection.execute(statement)


class Sessions:
    """Databases in memory that have nothing but macros; `config` is DuckDB's."""

    def __init__(self, config: Mapping[str, str | bool | int | float | list[str]]) -> None:
        self._config = dict(config)
        self._kept: dict[tuple[str, int], duckdb.DuckDBPyConnection] = {}

    def open(self, timezone: str, now_ms: int) -> duckdb.DuckDBPyConnection:
        """A connection for one question: what it makes goes when it is closed."""
        key = timezone, (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms)).year
        kept = self._kept.pop(key, None)
        if kept is None:
            if len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept))).close()
            kept = duckdb.connect(config=self._config)
            prepare(kept, timezone, now_ms)
        self._kept[key] = kept  # as the one that was used last
        return kept.cursor()
