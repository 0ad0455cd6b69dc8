"""Undo and redo. Example: three edits, two undone, one more made: what was undone is gone. Pure.

Edits that have one `mark`, the keys typed into one field say, are one step.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

MOST = 200


class History(Struct, frozen=True):
    """`present`, with at most `MOST` documents before it."""

    present: Any
    before: tuple[Any, ...] = ()
    after: tuple[Any, ...] = ()
    mark: str = ""

    def edited(self, document: Any, mark: str = "") -> History:
        if same(document, self.present):
            return self
        if mark and mark == self.mark:
            return History(document, self.before, (), mark)
        return History(document, (*self.before, self.present)[-MOST:], (), mark)

    def undone(self) -> History:
        if not self.before:
            return self
        return History(self.before[-1], self.before[:-1], (self.present, *self.after))

    def redone(self) -> History:
        if not self.after:
            return self
        return History(self.after[0], (*self.before, self.present), self.after[1:])


def same(one: Any, other: Any) -> bool:
    """Whether two documents are written alike: 1 and 1.0, or 1 and true, are not."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)
