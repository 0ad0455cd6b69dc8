"""Pieces of SQL: literals, a name bound to an expression, a search tree.

Whatever an author wrote becomes SQL here and nowhere else, so that no text can be read as more than a text.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from livesegments.core.event import RETRACT


def text(value: str) -> str:
    """A string's literal: `O'Neil` → `'O''Neil'`."""
    return "'" + value.replace("'", "''") + "'"


def texts(values: Sequence[str]) -> str:
    """A list of strings."""
    return f"[{', '.join(map(text, values))}]::VARCHAR[]"


def json(value: object) -> str:
    """A JSON value's literal."""
    return f"{text(msgspec.json.encode(value).decode())}::JSON"


def truth(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def let(name: str, expression: str, body: str) -> str:
    """`body`, in which `name` stands for `expression`, which is worked out once."""
    return f"list_transform([{expression}], lambda {name}: {body})[1]"


def every(conditions: Sequence[str]) -> str:
    return " AND ".join(f"({each})" for each in conditions) or "TRUE"


def some(conditions: Sequence[str]) -> str:
    return " OR ".join(f"({each})" for each in conditions) or "FALSE"


def search(variable: str, steps: Sequence[tuple[int, int]], before: int) -> str:
    """The value of the last of `steps`, (from, value) ascending, that `variable` has come to; or `before`."""
    if not steps:
        return str(before)
    middle = len(steps) // 2
    start, value = steps[middle]
    below = search(variable, steps[:middle], before)
    above = search(variable, steps[middle + 1 :], value)
    return f"CASE WHEN {variable} < {start} THEN {below} ELSE {above} END"


def taken_back(relation: str) -> str:
    """The query of (profile, id) of the events that were taken back, by those in a relation."""
    return (
        f"SELECT DISTINCT profile, properties->>'$.event_id' AS id FROM {relation} "
        f"WHERE name = {text(RETRACT)} AND json_type(properties, '$.event_id') = 'VARCHAR'"
    )
