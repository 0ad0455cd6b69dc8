"""A zone's offset at any instant, in SQL: a table of changes, and after it a rule for each kind of year.

Example: in Berlin the offset changes on 31 March 2024, 01:00 UTC, from one hour to two. A clock on the wall
shows 02:00 when it does, and jumps to 03:00. The table of instants says: from 01:00 UTC on, two hours. The
table of walls says: from 03:00 on, two hours; what is read before, 02:30 too, has the offset before the
change. In autumn the wall shows 02:00 to 03:00 twice, and from 03:00 on the new offset holds: 02:30 is the
earlier one. So in both, the new offset holds from the later of the two readings of the wall at the change.

The tables end where the changes begin to repeat. Since 1996 those of Berlin have been the same in every year
that has as many days and begins on the same weekday. There are 14 kinds of years, so each change of a year is
a list of 14 readings.

Instants are ms since 1970 (BIGINT), as are readings of the wall.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import TypeAlias
from zoneinfo import ZoneInfo

from livesegments.history.sql.text import let, search

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR = 1840
"""No zone has a change before (the first was Britain's railway time, 1847)."""
_RULED = range(2_101, 2_129)
"""Years of all kinds. Later ones follow their rules: the last change outside the rules is one of 2087."""
_WEEKLY = 2_038
"""From this year on no zone changes twice within a week."""
_KINDS = range(1, 15)

Steps: TypeAlias = list[tuple[int, int]]
"""(from, offset) in ms, ascending."""
Year: TypeAlias = tuple[int, Steps]
"""The offset with which a year begins, and its steps, counted from its beginning."""


def of_instant(zone: str) -> str:
    """The offset at the instant `t`."""
    return _at("t", zone, [(at, after) for at, _, after in _changes(zone)])


def of_wall(zone: str) -> str:
    """The offset at which `w` is read."""
    return _at("w", zone, [(at + max(before, after), after) for at, before, after in _changes(zone)])


def _at(variable: str, zone: str, steps: Steps) -> str:
    first = _offset(ZoneInfo(zone), _new_year(_FIRST_YEAR))
    years = _by_year(steps, first)
    rules = {_kind(year): years[year] for year in _RULED}
    settled = _RULED[-1]
    while settled > _FIRST_YEAR and years[settled - 1] == rules[_kind(settled - 1)]:
        settled -= 1
    begins = _new_year(settled)
    table = search(variable, [step for step in steps if step[0] < begins], first)
    return f"CASE WHEN {variable} < {begins} THEN {table} ELSE {_ruled(variable, rules)} END"


def _by_year(steps: Steps, first: int) -> dict[int, Year]:
    within: dict[int, Steps] = {year: [] for year in range(_FIRST_YEAR, _RULED[-1] + 1)}
    for at, after in steps:
        year = _moment(at).year
        within[year].append((at - _new_year(year), after))
    begun = accumulate(within.values(), lambda offset, own: own[-1][1] if own else offset, initial=first)
    return {year: (offset, within[year]) for year, offset in zip(within, begun, strict=False)}


def _ruled(variable: str, rules: dict[int, Year]) -> str:
    """The offset in a year that follows the rule of its kind."""
    offset, steps = rules[_KINDS[0]]
    if not steps:
        return str(offset)
    offsets = [offset, *(after for _, after in steps)]
    assert all([own[0], *(after for _, after in own[1])] == offsets for own in rules.values())
    ends = [_by_kind([rules[kind][1][nth][0] for kind in _KINDS]) for nth in range(len(steps))]
    within = f"{variable} - epoch_ms(CAST(y AS TIMESTAMP))"
    cases = " ".join(
        f"WHEN {within} < {end} THEN {before}" for end, before in zip(ends, offsets, strict=False)
    )
    return let("y", f"date_trunc('year', epoch_ms({variable}))", f"CASE {cases} ELSE {offsets[-1]} END")


def _by_kind(values: Sequence[int]) -> str:
    """The value of the kind of the year that begins with `y`."""
    kind = "isodow(y) * 2 - 1 + CAST(month(y + to_days(59)) = 2 AS BIGINT)"
    return f"([{', '.join(map(str, values))}]::BIGINT[])[{kind}]"


def _kind(year: int) -> int:
    """By the weekday of its first day (Monday: 1, 2), and whether it has 366 days (2, 4, …)."""
    return date(year, 1, 1).isoweekday() * 2 - 1 + isleap(year)


@lru_cache(maxsize=100)
def _changes(zone: str) -> tuple[tuple[int, int, int], ...]:
    """(instant, offset before, offset after) in ms, ascending: a span whose ends differ is halved."""
    rules = ZoneInfo(zone)
    found = []
    low, end, weekly = _new_year(_FIRST_YEAR), _new_year(_RULED[-1] + 1), _new_year(_WEEKLY)
    before = _offset(rules, low)
    while low < end:
        high = low + (DAY_MS if low < weekly else 7 * DAY_MS)
        after = _offset(rules, high)
        if after != before:
            below, above = low, high
            while above - below > 1:
                middle = (below + above) // 2
                if _offset(rules, middle) == before:
                    below = middle
                else:
                    above = middle
            if above < end:
                found.append((above, before, after))
            before = after
        low = high
    return tuple(found)


def _offset(rules: ZoneInfo, t_ms: int) -> int:
    offset = _moment(t_ms).astimezone(rules).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


def _moment(t_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=t_ms)


def _new_year(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
