"""The most frequent value of a property, by the events in a window; of equally frequent ones the one that was
used last.

Example: `tea`, `coffee`, `coffee`, `tea` gives `tea`. An event with several values on the path uses each of
them, in their order. Values are equal as conditions say: 1 and 1.0 are one, 1 and "1" are two. Of events with
one time and one id the texts of the values decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw, Struct

from livesegments.core import chunks
from livesegments.core.bag import Bag
from livesegments.core.definition import Scalar
from livesegments.core.entries import Entries, put
from livesegments.core.event import Event
from livesegments.core.fold import Bagged, OneByOne
from livesegments.core.frame import Absolute, Sliding
from livesegments.core.kind import MAX_ENTRIES, Kind
from livesegments.core.ranks import Ranks, Use, use_rank
from livesegments.core.value import Key, key, ordered

Values: TypeAlias = Callable[[Event], list[Scalar]]
"""The values of one event on the path, in order."""


class Counted(Struct, array_like=True):
    """How often a value was used, and its last use."""

    count: int
    last: Use

    def is_before(self, other: Counted) -> bool:
        """Whether the other one is the more frequent, or the later, value."""
        mine, its = (self.count, self.last[:3]), (other.count, other.last[:3])
        return mine < its or (mine == its and ordered(self.last[3]) < ordered(other.last[3]))


class Tally(Struct, array_like=True, dict=True):
    """The different values. What is looked up in it is made when it is first asked for, and not stored."""

    values: list[Counted]

    @property
    def by_key(self) -> dict[Key | None, Counted]:
        known: dict[str, Any] = self.__dict__
        if "by_key" not in known:
            known["by_key"] = {key(each.last[3]): each for each in self.values}
        found: dict[Key | None, Counted] = known["by_key"]
        return found

    @property
    def best(self) -> Counted | None:
        known: dict[str, Any] = self.__dict__
        if known.get("best") is None:
            known["best"] = reduce(_better, self.values) if self.values else None
        found: Counted | None = known["best"]
        return found

    def add(self, use: Use, most: int = MAX_ENTRIES) -> None:
        """A further value counts only while there are fewer than `most`."""
        best = self.best
        found = self.by_key.get(key(use[3]))
        if found is None:
            if len(self.values) >= most:
                return
            found = self.by_key[key(use[3])] = Counted(1, use)
            self.values.append(found)
        else:
            found.count += 1
            found.last = max(found.last, use, key=lambda each: each[:3])
        if best is None or best.is_before(found):
            self.__dict__["best"] = found

    def discard(self, use: Use, left: Iterable[Use]) -> None:
        """Takes out a use; `left` are those that stay."""
        wanted = key(use[3])
        found = self.by_key[wanted]
        if self.__dict__.get("best") is found:
            del self.__dict__["best"]
        found.count -= 1
        if not found.count:
            del self.by_key[wanted]
            self.values.remove(found)
        elif found.last[:3] == use[:3]:  # where months are clipped, a later event may leave first
            same = (each for each in left if key(each[3]) == wanted)
            # those that leave now are taken out one by one: another of the same time and id may still follow
            found.last = max(same, key=lambda each: each[:3], default=found.last)

    def read(self) -> Key | None:
        return None if self.best is None else key(self.best.last[3])


def _better(one: Counted, other: Counted) -> Counted:
    return other if one.is_before(other) else one


def _uses(event: Event, values: Values) -> list[Use]:
    return [(event.time_ms, event.id, place, value) for place, value in enumerate(values(event))]


class ModeEver(Kind[Tally | Ranks]):
    """Over an absolute window, of the first 10,001 different values that came. State: a tally of few values,
    the ranks of many."""

    def __init__(self, values: Values, window: Absolute) -> None:
        super().__init__(Tally)
        self.decode = _tally_or_ranks
        self._values, self._from, self._to = values, window.from_ms, window.to_ms

    def add(self, state: Tally | Ranks | None, event: Event, now_ms: int) -> Tally | Ranks | None:
        if not self._from <= event.time_ms < self._to:
            return state
        for use in _uses(event, self._values):
            if isinstance(state, Ranks):
                state.use(use, MAX_ENTRIES)
                continue
            state = state or Tally([])
            state.add(use)
            if len(state.values) > chunks.LISTED:
                state = _ranked(state)
        return state

    def value(self, state: Tally | Ranks | None, now_ms: int) -> Any:
        return None if state is None else state.read()

    def next_ms(self, state: Tally | Ranks | None, now_ms: int, edges: Sequence[int]) -> int | None:
        return None


_tally: Callable[[Raw | bytes], Tally] = msgspec.msgpack.Decoder(Tally).decode
_ranks: Callable[[Raw | bytes], Ranks] = msgspec.msgpack.Decoder(Ranks).decode
_ARRAY_OF_ONE = 0x91


def _tally_or_ranks(raw: Raw | bytes) -> Tally | Ranks:
    return _tally(raw) if memoryview(raw)[0] == _ARRAY_OF_ONE else _ranks(raw)


def _ranked(tally: Tally) -> Ranks:
    return Ranks.of((each.count, *use_rank(each.last)) for each in tally.values)


class ModeSliding(Bag[Use, Any]):
    """Over a sliding window: each use is an entry, and the tally follows from them. Of many uses, the ranks
    are kept beside them."""

    def __init__(self, values: Values, window: Sliding) -> None:
        super().__init__(Uses(values), window)

    def _enter(self, state: Bagged[Use, Any], leave: int, payload: Use) -> None:
        ranks = state.total
        if ranks is None:
            _tally_of(state).add(payload, MAX_ENTRIES + 1)
        else:
            ranks.use(payload, MAX_ENTRIES + 1)
        super()._enter(state, leave, payload)

    def _left(self, state: Bagged[Use, Any], gone: Sequence[tuple[int, Use]]) -> None:
        ranks = state.total
        if ranks is None:
            tally = _tally_of(state, gone)
            super()._left(state, gone)
            for _, use in _by_time(gone):
                tally.discard(use, (each for _, each in state.inside))
            return
        super()._left(state, gone)
        if isinstance(state.inside, list):
            state.total = None
            return
        for _, use in _by_time(gone):
            _discard(ranks, use, state.inside)

    def _read(self, state: Bagged[Use, Any]) -> Any:
        return (_tally_of(state) if state.total is None else state.total).read()


def _by_time(gone: Sequence[tuple[int, Use]]) -> Sequence[tuple[int, Use]]:
    """So that the last use of a value goes last: of those that leave at once a late one lies behind."""
    return gone if len(gone) == 1 else sorted(gone, key=lambda entry: entry[1][:3])


def _discard(ranks: Ranks, use: Use, left: Entries[tuple[int, Use]]) -> None:
    old = ranks.rank(use[3])
    assert old is not None, "every use is counted"
    if old[0] == 1:
        ranks.remove(old)
        return
    last = old[1:]
    if last[:3] == use[:3]:  # where months are clipped, a later event may leave first
        wanted = key(use[3])
        same = (use_rank(each) for _, each in left if key(each[3]) == wanted)
        last = max(same, default=last)  # as in `Tally.discard`
    ranks.replace(old, (old[0] - 1, *last))


def _tally_of(state: Bagged[Use, Any], gone: Sequence[tuple[int, Use]] = ()) -> Tally:
    """`gone` are entries that were just taken out, and that the tally is still to lose."""
    known: dict[str, Any] = state.__dict__
    if "tally" not in known:
        made = known["tally"] = Tally([])
        for _, use in (*gone, *state.inside):
            made.add(use, MAX_ENTRIES + 1)
    found: Tally = known["tally"]
    return found


class Uses(OneByOne[Use, Any]):
    """The uses of one event as the payloads of a bag, which has no total but the ranks of many uses."""

    counts = False
    payload: Any = Use
    total: Any = int
    beside: Any = Ranks

    def __init__(self, values: Values) -> None:
        self._values = values

    def payloads(self, event: Event) -> list[Use]:
        return _uses(event, self._values)

    def merge(self, total: int | None, payload: Use) -> int:
        return 0

    def unmerge(self, total: int | None, payload: Use) -> int | None:
        return None

    def read(self, total: int | None) -> None:
        return None

    def spread(self, bag: Bagged[Use, Any]) -> None:
        tally: Tally = bag.__dict__.pop("tally")
        bag.total = _ranked(tally)

    def put(self, bag: Bagged[Use, Any], leave: int, payload: Use) -> None:
        put(bag.inside, (leave, payload), (leave + 1,))
