"""A DuckDB connection that knows the language: its macros, bounds on what a query may take."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from livesegments.history.sql import fold, number, value, zone

KEPT = 8
"""Databases of so many zones are kept: making the macros of one takes longer than many a question."""


def prepare(connection: duckdb.DuckDBPyConnection, timezone: str) -> None:
    """Makes the macros of a zone."""
    for statement in [*zone.macros(timezone), fold.macro(), *number.MACROS, *value.MACROS]:
        connection.execute(statement)


class Sessions:
    """Databases in memory that have nothing but macros; `config` is DuckDB's."""

    def __init__(self, config: Mapping[str, str | bool | int | float | list[str]]) -> None:
        self._config = dict(config)
        self._kept: dict[str, duckdb.DuckDBPyConnection] = {}

    def open(self, timezone: str) -> duckdb.DuckDBPyConnection:
        """A connection for one question: what it makes goes when it is closed."""
        kept = self._kept.pop(timezone, None)
        if kept is None:
            if len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept))).close()
            kept = duckdb.connect(config=self._config)
            prepare(kept, timezone)
        self._kept[timezone] = kept  # as the one that was used last
        return kept.cursor()
