"""Calendar arithmetic in SQL: macros of one zone, over its offset at any instant (module `offset`).

Instants are ms since 1970 (BIGINT), as are readings of the wall.
"""

from __future__ import annotations

from livesegments.history.sql import offset
from livesegments.history.sql.offset import DAY_MS
from livesegments.history.sql.text import let

_FIRST_MS, _LAST_MS = -62_135_510_400_000, 253_402_214_399_999
"""Anniversaries of dates before 2 January 0001 and after 30 December 9999 are theirs."""
_LAST_YEAR = 9_998
_DATE = r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?)?$"


def macros(zone: str) -> list[str]:
    """Statements that make the macros of a zone.

    ls_wall(t)            what a clock on the wall shows
    ls_instant(text)      the instant of a date, NULL if the text is none
    ls_months(t, n)       t ⊕ n months
    ls_in_days(t, n, ms, now)     whether now lies between t's next anniversary ⊖ (n months, ms) and its end
    ls_near_day(t, i, j, now)     whether some anniversary of t lies i to j days from now
    ls_near_month(t, i, j, now)   the same in months
    ls_first_day(t), ls_first_week(t), …         the first day (DATE) of the period that t lies in
    ls_begin_day(date, n), ls_begin_week(…), …   the instant at which the period begins that is n later
    """
    resolved = f"w - ({offset.of_wall(zone)})"
    wall = f"t + ({offset.of_instant(zone)})"
    named = "'date', 'hour', 'minute', 'second', 'fraction', 'utc', 'sign', 'hours', 'minutes'"
    clock = (
        "(coalesce(try_cast(d.hour AS INT), 0) * 60 + coalesce(try_cast(d.minute AS INT), 0)) * 60000"
        " + coalesce(try_cast(d.second AS INT), 0) * 1000"
        " + CAST(rpad(left(d.fraction, 3), 3, '0') AS INT)"
    )
    ahead = (
        "(coalesce(try_cast(d.hours AS INT), 0) * 60 + coalesce(try_cast(d.minutes AS INT), 0)) * 60000"
        " * CASE d.sign WHEN '-' THEN -1 ELSE 1 END"
    )
    reading = f"epoch_ms(CAST(try_cast(d.date AS DATE) AS TIMESTAMP)) + {clock}"
    sound = (
        "try_cast(d.date AS DATE) IS NOT NULL AND d.date >= '0001' AND d.hour < '24' AND d.minute < '60'"
        " AND d.second < '60' AND d.hours < '24' AND d.minutes < '60'"
    )
    placed = f"CASE WHEN d.sign <> '' OR d.utc <> '' THEN {reading} - {ahead} ELSE ls_resolved({reading}) END"
    moved = "epoch_ms(epoch_ms(ls_wall(t)) + to_months(n))"
    clamped = f"greatest(least(t, {_LAST_MS}), {_FIRST_MS})"
    coming = [f"greatest(year(born) + 1, year(epoch_ms(ls_wall(now))) - 1) + {more}" for more in range(4)]
    midnight = (
        "epoch_ms(CAST(make_date(y, month(born), least(day(born),"
        " day(last_day(make_date(y, month(born), 1))))) AS TIMESTAMP))"
    )
    holds = let(
        "m",
        midnight,
        f"now < ls_resolved(m + {DAY_MS}) AND ls_months(ls_resolved(m), -n) - ms <= now",
    )
    return [
        f"CREATE OR REPLACE MACRO ls_resolved(w0) AS {let('w', 'CAST(w0 AS BIGINT)', resolved)}",
        f"CREATE OR REPLACE MACRO ls_wall(t0) AS {let('t', 'CAST(t0 AS BIGINT)', wall)}",
        f"CREATE OR REPLACE MACRO ls_months(t0, n) AS {let('t', 't0', f'ls_resolved({moved})')}",
        "CREATE OR REPLACE MACRO ls_instant(s) AS "
        + let(
            "d", f"regexp_extract(s, '{_DATE}', [{named}])", f"CASE WHEN {sound} THEN {placed} ELSE NULL END"
        ),
        "CREATE OR REPLACE MACRO ls_in_days(t0, n, ms, now) AS "
        + let(
            "born",
            let("t", "t0", f"CAST(epoch_ms(ls_wall({clamped})) AS DATE)"),
            f"list_contains(list_transform([{', '.join(coming)}],"
            f" lambda y: y <= {_LAST_YEAR} AND {holds}), TRUE)",
        ),
        *(statement for period in _PERIODS for statement in _period(period)),
        *(_near(period, clamped) for period in ("day", "month")),
    ]


_PERIODS = {
    "day": "to_days(n)",
    "week": "to_days(7 * n)",
    "sunday_week": "to_days(7 * n)",
    "month": "to_months(n)",
} | {
    "quarter": "to_months(3 * n)",
    "year": "to_months(12 * n)",
}


def first_day(period: str, wall: str) -> str:
    """The first DATE of the period that a local date, or time, belongs to."""
    if period == "sunday_week":  # a Monday's week, a day earlier
        return f"CAST(date_trunc('week', {wall} + to_days(1)) - to_days(1) AS DATE)"
    return f"CAST(date_trunc('{period}', {wall}) AS DATE)"


def _period(period: str) -> list[str]:
    """A period begins with the first midnight of its first day, and lasts until the next begins."""
    begin = f"ls_resolved(epoch_ms(CAST(d AS TIMESTAMP) + {_PERIODS[period]}))"
    later = f"CAST(d + {_PERIODS[period]} AS DATE)"
    told = f"greatest(least(t, {_LAST_MS}), {_FIRST_MS})"
    read = first_day(period, f"epoch_ms(ls_wall({told}))")
    chosen = " ".join(
        f"WHEN ls_begin_{period}(read, {by}) <= t THEN ls_later_{period}(read, {by})" for by in (1, 0)
    )
    first = let("read", read, f"CASE {chosen} ELSE ls_later_{period}(read, -1) END")
    return [
        f"CREATE OR REPLACE MACRO ls_begin_{period}(d, n) AS {begin}",
        f"CREATE OR REPLACE MACRO ls_later_{period}(d, n) AS {later}",
        f"CREATE OR REPLACE MACRO ls_first_{period}(t0) AS {let('t', 'CAST(t0 AS BIGINT)', first)}",
    ]


def _near(period: str, clamped: str) -> str:
    years = [f"year(epoch_ms(ls_wall(now))) + {more}" for more in range(-2, 3)]
    day = "make_date(y, month(born), least(day(born), day(last_day(make_date(y, month(born), 1)))))"
    near = let(
        "a",
        f"CAST(date_trunc('{period}', {day}) AS DATE)",
        f"ls_begin_{period}(a, -j) <= now AND now < ls_begin_{period}(a, 1 - i)",
    )
    holds = f"y > year(born) AND {near}"
    found = f"list_contains(list_transform([{', '.join(years)}], lambda y: {holds}), TRUE)"
    born = let("t", "t0", f"CAST(epoch_ms(ls_wall({clamped})) AS DATE)")
    return f"CREATE OR REPLACE MACRO ls_near_{period}(t0, i, j, now) AS {let('born', born, found)}"
