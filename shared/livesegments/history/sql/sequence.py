"""Sequences in SQL: from every event that may begin a chain it is followed by joins to the nearest event.

A chain without an absent step: after the first event the earliest that matches the second step, after that
the earliest that matches the third, and so on; if this one doesn't end in time, none does.
With an absent step the last event before it should be as late as it can be, for then fewest can spoil it: the
chain is followed to the step before, from where the latest that is still in time is taken.

Events are compared by time, then by id: `place` is their rank in that order among those of the profile.
"""

from __future__ import annotations

from livesegments.core.definition import Sequence, SequenceStep
from livesegments.history.sql import path, window
from livesegments.history.sql.evidence import Evidence, matching
from livesegments.history.sql.text import every, truth

_SHARED = 100
"""So many values of one event count."""


def sequence(leaf: Sequence, now_ms: int, segment: str | None, among: str | None = None) -> Evidence:
    """`among` as in `matching`."""
    absent = leaf.steps[-1].absent
    if absent and len(leaf.steps) == 2:
        return _pair(leaf, now_ms, segment, among)
    parts = [
        _matched(f"{index} AS step", step, leaf.same, segment, among) for index, step in enumerate(leaf.steps)
    ]
    begun = every([window.counts(leaf.window, "t", now_ms)])
    until = window.later("t", leaf.within)
    relations = [
        ("matched", " UNION ALL ".join(parts)),
        ("ranked", "SELECT *, rank() OVER (PARTITION BY profile ORDER BY t, id) AS r FROM matched"),
        ("chain0", f"SELECT profile, r, {until} AS until FROM ranked WHERE step = 0 AND {begun}"),
    ]
    present = len(leaf.steps) - absent
    for index in range(1, present):
        last_before_absent = absent and index == present - 1
        relations += _latest(index) if last_before_absent else _earliest(index)
    chain = f"chain{present - 1}"
    if not absent:
        found = f"{_held(leaf, 'profile')} FROM {chain}"
    else:
        spoilers = f"SELECT profile, r, t FROM ranked WHERE step = {present}"
        found = (
            f"{_held(leaf, 'c.profile')} FROM {chain} c"
            f" ASOF LEFT JOIN ({spoilers}) s ON c.profile = s.profile AND c.r < s.r"
            f" WHERE (s.t IS NULL OR s.t > c.until) AND c.until <= {now_ms}"
        )
    listed = ", ".join(f"{name} AS MATERIALIZED ({query})" for name, query in relations)
    return Evidence(f"WITH {listed} {found}")


def _pair(leaf: Sequence, now_ms: int, segment: str | None, among: str | None) -> Evidence:
    """One step, then none of another: who may spoil it first is seen in one pass, which takes a tenth."""
    first, away = (
        _matched(f"{truth(step.absent)} AS away", step, leaf.same, segment, among) for step in leaf.steps
    )
    until = window.later("t", leaf.within)
    begun = every([window.counts(leaf.window, "t", now_ms), f"{until} <= {now_ms}"])
    return Evidence(f"""
WITH matched AS (
  {first} UNION ALL {away}
), paired AS (
  SELECT *, min(t) FILTER (away) OVER (
    PARTITION BY profile ORDER BY t, id GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
  ) AS spoiled FROM matched
)
{_held(leaf, "profile")} FROM paired
WHERE NOT away AND {begun} AND (spoiled IS NULL OR spoiled > {until})
""")


def _matched(label: str, step: SequenceStep, same: str | None, segment: str | None, among: str | None) -> str:
    """The events that match a step. Where the steps share a value, it is as if every value had a profile of
    its own, that is called by both."""
    clause = matching(step, segment, among=among)
    if same is None:
        return f"SELECT {label}, profile, t, id {clause}"
    values = f"list_transform(({path.values(same)})[:{_SHARED}], lambda j: ls_key(j))"
    return (
        f"SELECT DISTINCT {label}, {{'of': profile, 'by': k}} AS profile, t, id FROM"
        f" (SELECT profile, t, id, unnest({values}) AS k {clause}) WHERE k IS NOT NULL"
    )


def _held(leaf: Sequence, profile: str) -> str:
    own = profile if leaf.same is None else f"struct_extract({profile}, 'of') AS profile"
    return f"SELECT DISTINCT {own}, TRUE AS holds, NULL AS measured"


def _earliest(index: int) -> list[tuple[str, str]]:
    return [
        (
            f"chain{index}",
            f"SELECT c.profile, e.r, c.until FROM chain{index - 1} c"
            f" ASOF JOIN (SELECT profile, r, t FROM ranked WHERE step = {index}) e"
            " ON c.profile = e.profile AND c.r < e.r WHERE e.t <= c.until",
        )
    ]


def _latest(index: int) -> list[tuple[str, str]]:
    """The last in time: the highest rank at the latest instant that has any."""
    instants = f"SELECT profile, t, max(r) AS r FROM ranked WHERE step = {index} GROUP BY profile, t"
    return [
        (
            f"chain{index}",
            f"SELECT c.profile, e.r, c.until FROM chain{index - 1} c ASOF JOIN ({instants}) e"
            " ON c.profile = e.profile AND c.until >= e.t WHERE e.r > c.r",
        )
    ]
