"""Unicode case folding in SQL: `Straße` and `STRASSE` become one.

DuckDB has no folding. It lowers letter by letter, and folding goes letter by letter, too. So both are
compared once for every letter; where they differ, the folded form is put in the lowered one's place.
"""

from __future__ import annotations

from functools import lru_cache

import duckdb

from livesegments.history.sql.text import text

_LETTERS = 0x20000
"""No letter beyond has a case."""


def macro() -> str:
    """The statement that makes ls_fold(s)."""
    return f"CREATE OR REPLACE MACRO ls_fold(s) AS {_folded()}"


@lru_cache(maxsize=1)
def _folded() -> str:
    query = "SELECT i, lower(chr(i::INT)) FROM range(128, ?) r(i) WHERE i NOT BETWEEN 55296 AND 57343"
    with duckdb.connect() as connection:
        lowered = connection.execute(query, [_LETTERS]).fetchall()
    wanted: dict[str, set[str]] = {}
    for point, low in lowered:
        wanted.setdefault(low, set()).add(chr(point).casefold())
    first = {}
    after = {}
    for point, low in lowered:
        folded = chr(point).casefold()
        plain = low.isascii() or len(wanted[low]) > 1
        if plain and folded != low:
            first[chr(point)] = folded  # another letter is lowered to the same, and stays so
        elif not plain and folded != low:
            after[low] = folded
    inner = _replaced("s", first)
    return f"CASE WHEN strlen(s) = length(s) THEN lower(s) ELSE {_replaced(f'lower({inner})', after)} END"


def _replaced(expression: str, letters: dict[str, str]) -> str:
    single = {old: new for old, new in letters.items() if len(new) == 1}
    if single:
        expression = f"translate({expression}, {text(''.join(single))}, {text(''.join(single.values()))})"
    for old, new in letters.items():
        if len(new) > 1:
            expression = f"replace({expression}, {text(old)}, {text(new)})"
    return expression
