"""Leaves that look at events, in SQL: (profile, holds, measured) for whoever has events that matter.

For everybody else a leaf has one answer, `otherwise`: a count over nothing is 0, whatever profile it is of.
`measured` is what a measure came to, as the text of a JSON number; NULL for an average and for other leaves.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import Struct

from livesegments.core.definition import Computed, Event, Occurrence, SequenceStep
from livesegments.core.event import SEGMENT_ENTERED, SEGMENT_EXITED
from livesegments.history.sql import number, path, window
from livesegments.history.sql.text import every, text
from livesegments.history.sql.zone import first_day

Step: TypeAlias = Event | Occurrence | SequenceStep | Computed


class Evidence(Struct, frozen=True):
    query: str
    otherwise: bool = False
    of_nothing: str = "NULL"
    """What is measured where nothing counts."""


def matching(step: Step, segment: str | None, *, also: str = "TRUE", among: str | None = None) -> str:
    """The clause from FROM on: the events that match a step of a leaf of `segment`.

    `among`: where they are looked for, as an expression behind FROM, if not among all. Relation `standing` is
    without those that were taken back, which are in `taken`; what we derived ourselves can't be.
    """
    matched = conditions(step, segment, also=also)
    derived = sum(name.startswith("$") for name in step.called)
    known = "happened" if derived else "standing"
    if 0 < derived < len(step.called):
        both = "(profile, id) IN (SELECT (profile, id) FROM taken)"
        matched.append(f"(starts_with(name, '$') OR NOT {both})")
    if among is not None:
        known = among
    return f"FROM {known} WHERE {every(matched)}"


def conditions(step: Step, segment: str | None, *, also: str = "TRUE") -> list[str]:
    """What holds for the events that match a step."""
    names = step.called
    listed = f"name = {text(names[0])}" if len(names) == 1 else f"name IN ({', '.join(map(text, names))})"
    matched = [listed, also]
    own = [text(name) for name in names if name in (SEGMENT_ENTERED, SEGMENT_EXITED)]
    if own and segment is not None:
        matched.append(f"(name NOT IN ({', '.join(own)}) OR properties->>'$.segment' <> {text(segment)})")
    if step.where:
        matched.append(path.passes(step.where))
    return matched


def occurrence(leaf: Occurrence, now_ms: int, segment: str | None) -> Evidence:
    """The first or last by time, then by id; a window doesn't ask which of one instant. Of several with one
    time and one id, it is enough if one is as `has` wants it."""
    counts = window.counts(leaf.window, "t", now_ms)
    if leaf.has:
        order = "t, id" if leaf.which == "first" else "t DESC, id DESC"
        ranked = f"rank() OVER (PARTITION BY profile ORDER BY {order})"
        found = f"SELECT profile, t, properties {matching(leaf, segment)} QUALIFY {ranked} = 1"
        fits = f"bool_or({every([counts, path.passes(leaf.has)])})"
        return Evidence(f"SELECT profile, {fits} AS holds, NULL AS measured FROM ({found}) GROUP BY profile")
    chosen = "min" if leaf.which == "first" else "max"
    found = f"SELECT profile, {chosen}(t) AS t {matching(leaf, segment)} GROUP BY profile"
    return Evidence(f"SELECT profile, {counts} AS holds, NULL AS measured FROM ({found})")


def measure(leaf: Event, now_ms: int, segment: str | None, among: str | None = None) -> Evidence:
    counted = matching(leaf, segment, also=window.counts(leaf.window, "t", now_ms), among=among)
    of, op, value = leaf.measure.of, leaf.op, leaf.value
    if leaf.measure.property is None:
        what = _COUNTED[of]
        query = f"SELECT profile, {_judged_and_told(what, op, value)} {counted} GROUP BY profile"
        return Evidence(query, of_nothing(op, value), "'0'")
    values = f"SELECT profile, unnest({path.values(leaf.measure.property)}) AS j {counted}"
    if of == "distinct":
        what = _judged_and_told("count(DISTINCT ls_key(j))", op, value)
        return Evidence(
            f"SELECT profile, {what} FROM ({values}) GROUP BY profile", of_nothing(op, value), "'0'"
        )
    if of in ("min", "max"):
        return Evidence(
            f"SELECT profile, {_extreme(of, op, value)} AS holds,"
            f" arg_{of}({number.written('j')}, CAST({number.written('j')} AS DOUBLE)) AS measured"
            f" FROM ({values})"
            f" WHERE {number.written('j')} IS NOT NULL GROUP BY profile"
        )
    if of == "avg":
        return Evidence(_total(of, op, value, values))
    return Evidence(_total(of, op, value, values), of_nothing(op, value), "'0'")


_DATE = "CAST(epoch_ms(ls_wall(t)) AS DATE)"
_COUNTED = {
    "count": "count(*)",
    "days": f"count(DISTINCT {_DATE})",
    **{
        f"{period}s": f"count(DISTINCT {first_day(period, _DATE)})"
        for period in ("week", "sunday_week", "month")
    },
}


def _judged_and_told(what: str, op: str, value: Any) -> str:
    return f"{number.whole(what, op, value)} AS holds, CAST({what} AS VARCHAR) AS measured"


def of_nothing(op: str, value: Any) -> bool:
    """Whether 0 compares so."""
    zero = Decimal(0)
    low, *more = [number.decimal(bound) for bound in (value if op == "between" else [value])]
    return {
        "eq": zero == low,
        "neq": zero != low,
        "gt": zero > low,
        "gte": zero >= low,
        "lt": zero < low,
        "lte": zero <= low,
        "between": low <= zero <= (more or [low])[0],
    }[op]


def _extreme(of: str, op: str, value: Any) -> str:
    """The least number is at least a bound if all are, the greatest if any is."""
    across = "bool_and" if of == "min" else "bool_or"

    def at_least(bound: Any, above: bool) -> str:
        return f"{across}({number.of_json('j', 'gt' if above else 'gte', bound)})"

    return number.compares(op, value, at_least)


def _total(of: str, op: str, value: Any, values: str) -> str:
    """Sums, as DECIMAL where that is exact; else once more, as BIGNUM.

    An average is at least a bound if what the numbers are above it adds up to at least 0.
    """
    bounds = value if op == "between" else [value]
    less = of == "avg"
    exact = all(number.is_narrow(bound) for bound in bounds) or not less

    def narrow(bound: Any, above: bool) -> str:
        each = f"CAST(n AS {number.NARROW})"
        if not less:
            return number.whole(f"sum({each})", "gt" if above else "gte", bound, number.SCALE)
        return f"sum({each} - {number.narrow(bound)}) {'>' if above else '>='} 0"

    def wide(bound: Any, above: bool) -> str:
        limit = number.wide(bound)
        sign = ">" if above else ">="
        if not less:
            return f"sum(ls_wide(n)) {sign} {limit}"
        return f"sum(ls_wide(n) - {limit}) {sign} CAST('0' AS BIGNUM)"

    odd = "NOT ls_narrow(n)" if exact else "TRUE"
    told = ("NULL", "NULL")
    if not less:
        narrow_sum = f"CAST(sum(CAST(n AS {number.NARROW})) AS VARCHAR)"
        told = (f"rtrim(rtrim({narrow_sum}, '0'), '.')", "ls_told(sum(ls_wide(n)))")
    return f"""
WITH numbers AS MATERIALIZED (
  SELECT profile, {number.written("j")} AS n FROM ({values}) WHERE n IS NOT NULL
), odd AS (SELECT DISTINCT profile FROM numbers WHERE {odd})
SELECT profile, {number.compares(op, value, narrow)} AS holds, {told[0]} AS measured
FROM numbers ANTI JOIN odd USING (profile) GROUP BY profile
UNION ALL
SELECT profile, {number.compares(op, value, wide)} AS holds, {told[1]} AS measured
FROM numbers SEMI JOIN odd USING (profile) GROUP BY profile
"""
