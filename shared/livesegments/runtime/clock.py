"""The wall clock is read here only. Composition roots hand it on as a function."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Milliseconds since 1970 UTC."""


def wall_ms() -> int:
    """May step back, as the machine's clock may."""
    return time.time_ns() // 1_000_000
