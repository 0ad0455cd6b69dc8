"""The events behind a condition, in SQL: those that a count or a sum counts, the newest first."""

from __future__ import annotations

from livesegments.core.definition import Event, Node, Occurrence, Sequence
from livesegments.history.sql import window
from livesegments.history.sql.evidence import matching
from livesegments.history.sql.standing import standing


def behind(node: Node, now_ms: int, segment: str | None, limit: int) -> str | None:
    """A query of (id, name, t, properties) over `happened`, of which it takes one profile's to make sense.

    Of an occurrence it is the first or the last; of a sequence whatever matches one of its steps. None for a
    node that looks at no events.
    """
    order = "DESC"
    match node:
        case Event():
            counted = window.counts(node.window, "t", now_ms)
            clauses = [matching(node, segment, also=counted)]
        case Occurrence():
            clauses, limit = [matching(node, segment)], 1
            order = "ASC" if node.which == "first" else "DESC"
        case Sequence():
            clauses = [matching(step, segment) for step in node.steps]
        case _:
            return None
    found = " UNION ".join(f'SELECT id, name, t, properties, "commit", place {clause}' for clause in clauses)
    return (
        f"WITH {', '.join(standing(True))} SELECT id, name, t, CAST(properties AS VARCHAR) FROM ({found})"
        f' ORDER BY t {order}, "commit" {order}, place {order} LIMIT {limit}'
    )
