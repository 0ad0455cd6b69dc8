"""Windows and durations in SQL: whether an event at `t` counts at the instant of the question."""

from __future__ import annotations

import re

from livesegments.core.definition import Window
from livesegments.history.sql.text import every, text

_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_MONTHS = {"mo": 1, "y": 12}
_LONGEST_MONTH_MS = 31 * 86_400_000
_SPARE_MS = 3 * 86_400_000
"""More than a zone's changes of offset can add."""


def duration(written: str) -> tuple[int, int]:
    """(months, ms), one of them 0: `"2mo"` → (2, 0)."""
    parts = re.fullmatch(r"(\d+)(\D+)", written)
    assert parts is not None, "check lets no other duration through"
    amount, unit = int(parts[1]), parts[2]
    return (amount * _MONTHS[unit], 0) if unit in _MONTHS else (0, amount * _MS[unit])


def later(instant: str, written: str) -> str:
    """t ⊕ d."""
    months, ms = duration(written)
    return f"ls_months({instant}, {months})" if months else f"{instant} + {ms}"


def counts(window: Window | None, instant: str, now_ms: int) -> str:
    """Whether an event of `instant` counts now."""
    if window is None:
        return "TRUE"
    if window.period is not None:
        first, begin = f"ls_first_{window.period}({now_ms})", f"ls_begin_{window.period}"
        least, most = int(window.from_ or 0), int(window.to or 0)
        bounds = [f"{instant} >= {begin}({first}, {least})", f"{instant} <= {now_ms}"]
        if most < 0:
            bounds.append(f"{instant} < {begin}({first}, {most + 1})")
        return every(bounds)
    if window.last is None:
        bounds = []
        if window.from_ is not None:
            bounds.append(f"{instant} >= ls_instant({text(str(window.from_))})")
        if window.to is not None:
            bounds.append(f"{instant} < ls_instant({text(str(window.to))})")
        return every(bounds)
    months, ms = duration(window.last)
    # the first condition is implied by the second, and cheap
    longest = months * _LONGEST_MONTH_MS + ms + (_SPARE_MS if months else 0)
    bounds = [f"{instant} > {now_ms - longest}"]
    if months:
        bounds = [f"CASE WHEN {bounds[0]} THEN {later(instant, window.last)} > {now_ms} ELSE FALSE END"]
    bounds.append(f"{later(instant, window.skip)} <= {now_ms}" if window.skip else f"{instant} <= {now_ms}")
    return every(bounds)
