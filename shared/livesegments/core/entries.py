"""The ascending entries of a fact: a plain list while they are few, `chunks.Chunks` from there on.

Kinds use these functions, which work on both, so that none of them knows which it has.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from livesegments.core import chunks
from livesegments.core.chunks import Chunks, Probe

E = TypeVar("E", bound="tuple[Any, ...]")

Entries: TypeAlias = list[E] | Chunks[E]


def fitted(entries: Entries[E]) -> Entries[E]:
    """In the form that their number wants."""
    if isinstance(entries, list):
        return Chunks.of(entries) if len(entries) > chunks.LISTED else entries
    return list(entries) if len(entries) <= chunks.FEW else entries


def bounded(entries: Entries[E], most: int) -> Entries[E]:
    """The last `most` of them, in the form that their number wants."""
    if len(entries) > most:
        pop_first(entries, len(entries) - most)
    return fitted(entries)


def listed(entries: Entries[E]) -> list[E]:
    """All of them, for who looks at most."""
    return entries if isinstance(entries, list) else list(entries)


def few(entries: Entries[E], count: int) -> list[E]:
    """The first `count` of them."""
    return entries[:count] if isinstance(entries, list) else list(islice(entries, count))


def put(entries: Entries[E], entry: E, probe: Probe) -> None:
    """Puts an entry in before the first one that is at least `probe`."""
    if isinstance(entries, list):
        entries.insert(bisect_left(entries, probe), entry)
    else:
        entries.put(entry, probe)


def at_least(entries: Entries[E], probe: Probe) -> E | None:
    """The first entry that is at least `probe`."""
    if isinstance(entries, list):
        at = bisect_left(entries, probe)
        return entries[at] if at < len(entries) else None
    return entries.at_least(probe)


def below(entries: Entries[E], probe: Probe) -> E | None:
    """The last entry below `probe`."""
    if isinstance(entries, list):
        at = bisect_left(entries, probe)
        return entries[at - 1] if at else None
    return entries.below(probe)


def remove(entries: Entries[E], probe: Probe) -> None:
    """The first entry that is at least `probe`, which must be there."""
    if isinstance(entries, list):
        del entries[bisect_left(entries, probe)]
    else:
        entries.remove(probe)


def descending(entries: Entries[E], probe: Probe) -> Iterator[E]:
    """Those below `probe`, from the last one on. They must stay as they are meanwhile."""
    if not isinstance(entries, list):
        yield from entries.descending(probe)
        return
    for at in range(bisect_left(entries, probe) - 1, -1, -1):
        yield entries[at]


def without(entries: Entries[E], gone: Sequence[E]) -> Entries[E]:
    """The entries but some that are in it; of them each one is there once. May change those given."""
    if len(gone) > chunks.MOST:
        dropped = set(gone)
        return fitted([entry for entry in entries if entry not in dropped])
    for entry in gone:
        remove(entries, entry)
    return entries


def remove_one(entries: Entries[E], number: int, is_it: Callable[[E], bool]) -> bool:
    """Of the entries that start with a number the first that is it; False if none is. It reads all."""
    listed = entries if isinstance(entries, list) else list(entries)
    for at in range(bisect_left(listed, (number,)), len(listed)):
        if listed[at][0] != number:
            break
        if is_it(listed[at]):
            del listed[at]
            if not isinstance(entries, list):
                made = Chunks.of(listed)
                entries.head, entries.between, entries.tail = made.head, made.between, made.tail
            return True
    return False


def until(entries: Entries[E], number: int) -> list[E]:
    """Takes out the entries that start with at most `number`."""
    if not isinstance(entries, list):
        return entries.until(number)
    count = bisect_left(entries, (number + 1,))
    gone = entries[:count]
    del entries[:count]
    return gone


def pop_first(entries: Entries[E], count: int) -> list[E]:
    """Takes out the first `count` entries; that many must be there."""
    if not isinstance(entries, list):
        return entries.pop_first(count)
    gone = entries[:count]
    del entries[:count]
    return gone


def let_go(entries: Entries[E], is_past: Callable[[int], bool]) -> None:
    """Takes out the first entry, and others as long as the number that they start with is past."""
    if not isinstance(entries, list):
        entries.let_go(is_past)
        return
    count = 1
    while count < len(entries) and is_past(entries[count][0]):
        count += 1
    del entries[:count]
