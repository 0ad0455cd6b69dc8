"""Instants as receivers read them."""

from __future__ import annotations

from datetime import datetime, timedelta

_EPOCH = datetime(1970, 1, 1)
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999


def iso(ms: int) -> str:
    """ISO 8601 in UTC. Instants beyond the calendar become its ends."""
    whole = timedelta(milliseconds=max(_FIRST_MS, min(ms, _LAST_MS)))
    return (_EPOCH + whole).isoformat(timespec="milliseconds") + "Z"
