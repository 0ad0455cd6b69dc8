"""The states of new facts are put into a stored profile, of which nothing else is decoded.

Example: a profile of 500 bytes gets a count of its orders: its facts, its due times and the number of its
plan are read and written again, its attributes and the rest are copied.

That is right where bringing the profile to the plan would do nothing else: no definition was adopted since,
nothing of it is stale, nothing is due. Where it isn't sure `put` says so, and the profile is decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from msgspec import Raw

from livesegments.core.kin import GONE
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.track import ChainTrack, TrailTrack

_FIELDS = Profile.__struct_fields__
_PLAN, _LISTS, _FACTS, _DUES, _MEMBERSHIPS, _TAKEN, _KIN = map(
    _FIELDS.index, ("plan", "lists", "facts", "dues", "memberships", "taken", "kin")
)
_parts = msgspec.msgpack.Decoder(list[Raw]).decode
_number = msgspec.msgpack.Decoder(int).decode
_states = msgspec.msgpack.Decoder(dict[int, Raw]).decode
_due = msgspec.msgpack.Decoder(dict[int | str, int]).decode
_ids = msgspec.msgpack.Decoder(dict[str, Raw]).decode
_encode = msgspec.msgpack.Encoder().encode
_NIL, _EMPTY = Raw(b"\xc0"), Raw(b"\x80")


class Spliced(NamedTuple):
    """The state anew, and the profile's next due instant before and now."""

    state: bytes
    wake_before_ms: int | None
    wake_ms: int | None


class Splice:
    """Into profiles of a workspace, up to the plan that it has in a partition; `since` and `walked` as in
    `step.on_plan`."""

    def __init__(self, plan: Plan, since: Mapping[int, int], walked: int) -> None:
        self._plan, self._since, self._walked = plan, since, walked
        self._revision = _encode(plan.revision)
        self._parts_of: dict[int, frozenset[int]] = {}
        """Of a sequence the trails of its later steps; of a trail the sequences that it is one of."""
        self._quiet: dict[int, bool] = {}
        """The number of a plan → whether no definition was adopted since."""

    def put(self, state: bytes, made: Raw, dues: Mapping[int, int], now_ms: int) -> Spliced | None:
        """`made`: msgpack of fact id → state, with their due times. All that is due up to the instant for
        which they were made must have fired. None: decode the profile."""
        parts = _parts(state)
        if len(parts) != len(_FIELDS) or parts[_KIN] != _NIL or parts[_TAKEN] != _NIL:
            return None
        number, facts = _number(parts[_PLAN]), _states(parts[_FACTS])
        if number != self._plan.revision and not self._is_quiet(number, parts, facts):
            return None
        new = _states(made)
        if facts and (not facts.keys().isdisjoint(new) or self._tangled(facts, new)):
            return None
        before = _due(parts[_DUES])
        wake_before = min(before.values()) if before else None
        after: dict[int | str, int] = dict(before)
        for fact, due in dues.items():
            after[fact] = due
        wake = min(after.values()) if after else None
        if wake is not None and wake <= now_ms:
            return None
        parts[_PLAN] = Raw(self._revision)
        parts[_FACTS] = Raw(_encode(facts | new)) if facts else made
        parts[_DUES] = Raw(_encode(after))
        return Spliced(_encode(parts), wake_before, wake)

    def _tangled(self, kept: Mapping[int, Raw], new: Mapping[int, Raw]) -> bool:
        """Whether a part of a sequence came live, and another one of its parts is history."""
        return any(not self._parts(fact).isdisjoint(kept) for fact in new)

    def _parts(self, fact: int) -> frozenset[int]:
        found = self._parts_of.get(fact)
        if found is None:
            track, ids = self._plan.tracks.get(fact), set[int]()
            if isinstance(track, ChainTrack):
                ids.update(trail.id for trail in track.trails)
            elif isinstance(track, TrailTrack):
                ids.update(track.followers)
            found = self._parts_of[fact] = frozenset(ids)
        return found

    def _is_quiet(self, number: int, parts: list[Raw], facts: Mapping[int, Raw]) -> bool:
        if number <= GONE or parts[_LISTS] != _EMPTY:
            return False
        before, plan = max(number, self._walked), self._plan
        quiet = self._quiet.get(before)
        if quiet is None:
            quiet = self._quiet[before] = not plan.newer_than(before)
        return (
            quiet
            and all(fact in plan.tracks and self._since.get(fact, before) <= before for fact in facts)
            and (parts[_MEMBERSHIPS] == _EMPTY or _ids(parts[_MEMBERSHIPS]).keys() <= plan.positions.keys())
        )
