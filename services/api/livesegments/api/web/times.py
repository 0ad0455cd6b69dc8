"""Instants outside are ISO 8601, UTC, with milliseconds; inside they are integer milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_MS = -62_135_596_800_000
MAX_MS = 253_402_300_799_999
"""From the first millisecond of the year 1 to the last of 9999."""


def iso(ms: int) -> str:
    text = (_EPOCH + timedelta(milliseconds=max(MIN_MS, min(ms, MAX_MS)))).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def iso_or_none(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)


def parse(text: str) -> int:
    """Without an offset it is UTC. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - _EPOCH) // timedelta(milliseconds=1)
