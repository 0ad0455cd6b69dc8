"""Calendar arithmetic in SQL: macros of one zone, made from a table of the zone's changes of offset.

Example: in Berlin the offset changes on 31 March 2024, 01:00 UTC, from one hour to two. A clock on the wall
shows 02:00 when it does, and jumps to 03:00. The table of instants says: from 01:00 UTC on, two hours. The
table of walls says: from 03:00 on, two hours; what is read before, 02:30 too, has the offset before the
change. In autumn the wall shows 02:00 to 03:00 twice, and from 03:00 on the new offset holds: 02:30 is the
earlier one. So in both, the new offset holds from the later of the two readings of the wall at the change.

Instants are ms since 1970 (BIGINT), as are readings of the wall.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from livesegments.history.sql.text import let, search

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR = 1840
"""No zone has a change before (the first was Britain's railway time, 1847)."""
_YEARS_AHEAD = 8
"""Windows and durations are at most three years; instants beyond are compared with nearer ones only."""
_FIRST_MS, _LAST_MS = -62_135_510_400_000, 253_402_214_399_999
"""Anniversaries of dates before 2 January 0001 and after 30 December 9999 are theirs."""
_LAST_YEAR = 9_998
_DATE = r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?)?$"


def macros(zone: str, now_ms: int) -> list[str]:
    """Statements that make the macros of a zone, for questions about the instant `now_ms`.

    ls_wall(t)            what a clock on the wall shows
    ls_instant(text)      the instant of a date, NULL if the text is none
    ls_months(t, n)       t ⊕ n months
    ls_in_days(t, n, ms, now)     whether now lies between t's next anniversary ⊖ (n months, ms) and its end
    ls_near_day(t, i, j, now)     whether some anniversary of t lies i to j days from now
    ls_near_month(t, i, j, now)   the same in months
    ls_first_day(t), ls_first_week(t), …         the first day (DATE) of the period that t lies in
    ls_begin_day(date, n), ls_begin_week(…), …   the instant at which the period begins that is n later
    """
    year = _moment(now_ms).year
    changes = _changes(zone, year + _YEARS_AHEAD)
    first = _offset(ZoneInfo(zone), _ms(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)))
    instants = [(at, after) for at, _, after in changes]
    walls = [(at + max(before, after), after) for at, before, after in changes]
    resolved = f"w - ({search('w', walls, first)})"
    wall = f"t + ({search('t', instants, first)})"
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


_PERIODS = {"day": "to_days(n)", "week": "to_days(7 * n)", "month": "to_months(n)"} | {
    "quarter": "to_months(3 * n)",
    "year": "to_months(12 * n)",
}


def _period(period: str) -> list[str]:
    """A period begins with the first midnight of its first day, and lasts until the next begins."""
    begin = f"ls_resolved(epoch_ms(CAST(d AS TIMESTAMP) + {_PERIODS[period]}))"
    later = f"CAST(d + {_PERIODS[period]} AS DATE)"
    told = f"greatest(least(t, {_LAST_MS}), {_FIRST_MS})"
    read = f"CAST(date_trunc('{period}', epoch_ms(ls_wall({told}))) AS DATE)"
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


@lru_cache(maxsize=100)
def _changes(zone: str, last_year: int) -> tuple[tuple[int, int, int], ...]:
    """(instant, offset before, offset after) in ms, ascending: a day whose ends differ is halved."""
    rules = ZoneInfo(zone)
    found = []
    start = _ms(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC))
    end = _ms(datetime(min(last_year, 9_998), 1, 1, tzinfo=UTC))
    before = _offset(rules, start)
    for low in range(start, end, DAY_MS):
        after = _offset(rules, low + DAY_MS)
        if after != before:
            below, above = low, low + DAY_MS
            while above - below > 1:
                middle = (below + above) // 2
                if _offset(rules, middle) == before:
                    below = middle
                else:
                    above = middle
            found.append((above, before, after))
            before = after
    return tuple(found)


def _offset(rules: ZoneInfo, t_ms: int) -> int:
    offset = _moment(t_ms).astimezone(rules).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


def _moment(t_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=t_ms)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
