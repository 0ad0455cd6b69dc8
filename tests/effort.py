"""How much of what repeats a test does: a little in `make test`, all of it in `make long` and `make fuzz` (LONG=1)."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

LONG = bool(os.environ.get("LONG"))


def effort(short: T, long: T) -> T:
    """The first of two sizes, seeds, lists of cases in `make test`; the second in `make long`.

    The first shows what the test is about; the second looks for what is rare."""
    return long if LONG else short
