"""A DuckDB connection that knows the language: its macros, bounds on what a query may take."""

from __future__ import annotations

import duckdb

from livesegments.history.sql import fold, number, value, zone


def prepare(connection: duckdb.DuckDBPyConnection, timezone: str, now_ms: int) -> None:
    """Makes the macros of a workspace's zone, for questions about the instant `now_ms`."""
    for statement in [*zone.macros(timezone, now_ms), fold.macro(), *number.MACROS, *value.MACROS]:
        connection.execute(statement)
