"""Conditions on computed attributes in SQL: the value of everybody who has one, and the comparison.

Numbers are measured and compared as conditions on events are; the other values are chosen among all uses.
`measured` is the value as JSON text: of a date its instant in ms.
"""

from __future__ import annotations

from typing import Any

from livesegments.core.definition import Attribute, Computed, Event
from livesegments.history.sql import path, window
from livesegments.history.sql import value as values
from livesegments.history.sql.evidence import Evidence, matching, measure

CHOSEN = {
    "first": "arg_min(j, (t, id, ls_key(j)))",
    "last": "arg_max(j, (t, id, ls_key(j)))",
    "first_at": "min(t)",
    "last_at": "max(t)",
}
TOTALS = ("count", "days", "weeks", "sunday_weeks", "months", "distinct", "sum")
"""Of nothing these are 0."""


def computed(leaf: Computed, now_ms: int) -> Evidence:
    asked, of = leaf.asked, leaf.measure.of
    counted = matching(leaf, None, also=window.counts(leaf.window, "t", now_ms))
    if asked is None:
        return Evidence("SELECT profile, FALSE AS holds, NULL AS measured FROM profiles")
    if of not in CHOSEN and of != "mode":
        return _number(leaf, asked, now_ms)
    otherwise = values.without(asked) == "TRUE"
    if asked.op in values.THERE:
        otherwise = asked.op == "missing"
    if leaf.measure.property is None:
        found = f"SELECT profile, {CHOSEN[of]} AS v {counted} GROUP BY profile"
        there = asked.op == "exists"
        holds = str(there).upper() if asked.op in values.THERE else values.relative(asked, "v", now_ms)
        return Evidence(f"SELECT profile, {holds} AS holds, v AS measured FROM ({found})", otherwise)
    listed = path.values(leaf.measure.property)
    if of != "mode":
        end = 1 if of == "first" else -1
        chosen = f"list_filter({listed}, lambda j: ls_key(j) IS NOT NULL)[{end}]"
        ends = f"SELECT profile, t, id, {chosen} AS j {counted}"
        found = f"SELECT profile, {CHOSEN[of]} AS v FROM ({ends}) WHERE j IS NOT NULL GROUP BY profile"
        holds = values.holds(asked, "v", now_ms)
        return Evidence(f"SELECT profile, {holds} AS holds, v AS measured FROM ({found})", otherwise)
    uses = (
        f"SELECT profile, t, id, unnest(l) AS j, unnest(range(len(l))) AS place"
        f" FROM (SELECT profile, t, id, {listed} AS l {counted})"
    )
    uses = f"SELECT * FROM ({uses}) WHERE ls_key(j) IS NOT NULL"
    last = "max((t, id, place, ls_key(j))) AS last, arg_max(j, (t, id, place)) AS j"
    alike = f"SELECT profile, count(*) AS n, {last} FROM ({uses}) GROUP BY profile, ls_key(j)"
    found = f"SELECT profile, arg_max(j, (n, last)) AS v FROM ({alike}) GROUP BY profile"
    holds = values.holds(asked, "v", now_ms)
    return Evidence(f"SELECT profile, {holds} AS holds, v AS measured FROM ({found})", otherwise)


def _number(leaf: Computed, asked: Attribute, now_ms: int) -> Evidence:
    """By the measure's own conditions: `in` is one of several equalities."""
    of = leaf.measure.of
    op, operand = values.DENIED.get(asked.op, asked.op), asked.value
    given = operand if op in ("in", "between") else [operand]
    bounds = [each for each in given if not isinstance(each, str | bool) and each is not None]
    denies = asked.op in values.DENIED
    if not bounds:
        there = _measured(leaf, "neq", 0, now_ms)
        exists, without = asked.op == "exists", values.without(asked) == "TRUE"
        rows, nothing = without, without
        if asked.op in values.THERE:
            rows, nothing = exists, exists == (of in TOTALS)
        return _judged([there], str(rows).upper(), nothing)
    if op != "in":
        found = [_measured(leaf, op, bounds if op == "between" else bounds[0], now_ms)]
    else:
        found = [_measured(leaf, "eq", each, now_ms) for each in bounds]
    nothing = any(each.otherwise for each in found) != denies
    if of not in TOTALS:
        nothing = values.without(asked) == "TRUE"
    return _judged(found, f"{'NOT ' if denies else ''}bool_or(holds)", nothing)


def _measured(leaf: Computed, op: str, bound: Any, now_ms: int) -> Evidence:
    event = Event(leaf.name, leaf.names, leaf.where, leaf.window, leaf.measure, op, bound)
    return measure(event, now_ms, None)


def _judged(found: list[Evidence], holds: str, nothing: bool) -> Evidence:
    rows = " UNION ALL ".join(f"SELECT profile, holds, measured FROM ({each.query})" for each in found)
    query = (
        f"SELECT profile, {holds} AS holds, any_value(measured) AS measured FROM ({rows}) GROUP BY profile"
    )
    return Evidence(query, nothing, found[0].of_nothing)
