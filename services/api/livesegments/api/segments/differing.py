"""How two definitions differ, as JSON: what came, what went, what is another value, with a pointer to each.

Example: `{"last": "30d"}` against `{"last": "60d"}` is one change at `/window/last`. The parts of a list are
matched with those that are equal, so a condition that came before others is one that came, and no change of
all that follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, Literal

import msgspec
from msgspec import Struct

from livesegments.api.web.problems import pointer

Path = tuple[str | int, ...]


class Change(Struct, frozen=True):
    """`pointer` leads into the later definition, for what was removed into the earlier one."""

    kind: Literal["added", "removed", "changed"]
    pointer: str
    before: Any = None
    after: Any = None


def changes(before: Any, after: Any) -> list[Change]:
    """None where the two are equal."""
    return list(_compared(before, after, (), ()))


def _compared(before: Any, after: Any, old: Path, new: Path) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict) and before.get("type") == after.get("type"):
        yield from _objects(before, after, old, new)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(before, after, old, new)
    elif _key(before) != _key(after):
        yield Change("changed", pointer(new), before, after)


def _objects(before: dict[str, Any], after: dict[str, Any], old: Path, new: Path) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            yield Change("removed", pointer((*old, name)), before[name])
        elif name not in before:
            yield Change("added", pointer((*new, name)), None, after[name])
        else:
            yield from _compared(before[name], after[name], (*old, name), (*new, name))


def _lists(before: list[Any], after: list[Any], old: Path, new: Path) -> Iterator[Change]:
    matched = SequenceMatcher(None, [*map(_key, before)], [*map(_key, after)], autojunk=False)
    for what, first, last, begin, end in matched.get_opcodes():
        if what == "equal":
            continue
        both = min(last - first, end - begin)
        for at in range(both):
            yield from _compared(
                before[first + at], after[begin + at], (*old, first + at), (*new, begin + at)
            )
        for at in range(first + both, last):
            yield Change("removed", pointer((*old, at)), before[at])
        for at in range(begin + both, end):
            yield Change("added", pointer((*new, at)), None, after[at])


def _key(value: Any) -> bytes:
    """Equal where JSON is, whatever the order of keys; 1 and true are two."""
    return msgspec.json.encode(value, order="sorted")
