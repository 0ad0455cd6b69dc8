"""The one error of every decoder here, and the one list of the errors that the libraries behind them raise.

A topic may hold anything: any producer that reaches the broker can write into it. A reader of one of our
topics catches `Unreadable`, logs it, counts it and goes on with the next record.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec


class Unreadable(ValueError):
    """The bytes are not a record of this topic; the message says why."""


CAUSES = (
    msgspec.DecodeError,  # not the format, or not the shape
    UnicodeDecodeError,  # a string that is not UTF-8
    RecursionError,  # lists within lists, thousands deep
)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turns all `CAUSES` into `Unreadable`: "is not WHAT: …"."""
    try:
        yield
    except Unreadable:
        raise
    except CAUSES as error:
        raise Unreadable(f"is not {what}: {error}") from error
