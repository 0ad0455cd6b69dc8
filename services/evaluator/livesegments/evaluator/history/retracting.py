"""The profiles of a partition whose retractions wait, and what happens to them while their history is read.

Pure, like `partition`, which asks it at the end of every commit. A profile waits as long as its state says
so; the hash `{p}:recounts` names those that do, so that a later owner needn't look for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from livesegments.core.backfill import Past
from livesegments.core.debt import debt_of
from livesegments.core.event import derived_from
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.recount import Ahead, Recounts
from livesegments.evaluator.commits.making import Making
from livesegments.evaluator.commits.slot import Slot
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.tail import Entry, applied
from livesegments.wire.profilekey import ProfileKey, profile_key


class Read(NamedTuple):
    """What happened to a profile until it was followed, and `after` of `core.recount`; `ahead` begins after
    commit `since`."""

    key: ProfileKey
    past: Sequence[Past]
    after: Mapping[int, int]
    since: int = 0
    ahead: Ahead | None = None


CatchUp: TypeAlias = Callable[[ProfileKey, Slot, Plan, int], object]


class Retracting:
    """`waiting` are those whose retractions wait, as stored; the one that waits longest is the first."""

    def __init__(self, making: Making) -> None:
        self._making = making
        self._followed: dict[ProfileKey, list[Past]] = {}
        self._concerned = False
        self.waiting: dict[ProfileKey, None] = {}
        self._anew: set[ProfileKey] = set()

    def follow(self, profiles: Iterable[ProfileKey]) -> None:
        """From the next commit on, what happens to these is kept."""
        self._followed |= {key: [] for key in profiles}

    def unfollow(self, profiles: Iterable[ProfileKey]) -> None:
        for key in profiles:
            self._followed.pop(key, None)

    def again(self, key: ProfileKey) -> None:
        """A profile that is owed its history waits for it once more."""
        self.waiting.setdefault(key)
        self._anew.add(key)

    def free(self, key: ProfileKey) -> bool:
        """Whether nobody follows the profile, and it doesn't wait."""
        return key not in self._followed and key not in self.waiting

    def happened(self, key: ProfileKey) -> bool:
        """Whether anything happened since it was followed."""
        return bool(self._followed.get(key))

    def look(self) -> None:
        """Before a commit is closed: whether any of those that are followed is in it."""
        self._concerned = self._making.has_any(self._followed.keys())

    def note(self, commit: Commit) -> None:
        """The end of a commit: who waits now, who no more, and what happened to those that are followed."""
        making, waiting = self._making, self.waiting
        if waiting:
            for key in making.dirty.keys() & waiting.keys():
                if not waits(making.dirty[key].profile) and key not in self._anew:
                    self.drop(commit, key)
        more = [
            key
            for key, slot in making.dirty.items()
            if slot.profile is not None and slot.profile.taken is not None and waits(slot.profile)
        ]
        for key in (*making.retracted, *more):
            if key not in waiting:
                waiting[key] = None
                commit.put_fields(keys.recounts(commit.partition), {key: b""})
        if self._concerned:
            self._keep(commit.number)

    def drop(self, commit: Commit, key: ProfileKey) -> None:
        """A profile that is gone waits no more."""
        if key in self.waiting:
            del self.waiting[key]
            commit.drop_fields(keys.recounts(commit.partition), [key])

    def _keep(self, number: int) -> None:
        making = self._making
        events = [each.event for each in applied(number, making.entry or Entry())]
        told = making.transitions if making.told is None else making.told
        for event in (*events, *map(derived_from, told)):
            past = self._followed.get(profile_key(event.workspace, event.profile))
            if past is not None:
                past.append((number, event))

    def carry_out(
        self,
        recounts: Recounts,
        read: Sequence[Read],
        erased: Mapping[ProfileKey, int],
        now_ms: int,
        since_ms: int | None,
        catch_up: CatchUp,
    ) -> None:
        """Takes back what is to be taken back from profiles, which must be cached and followed.

        `erased`: of whom nothing counts up to a commit. `since_ms`: events before it are gone from history.
        `catch_up` brings a profile to plan and `now_ms`.
        """
        making, plan = self._making, recounts.plan
        for key, past, after, since_then, ahead in read:
            self._anew.discard(key)
            slot = making.touched.get(key) or making.touch(key)
            profile = slot.profile
            if profile is None or not (waits(profile) or owes(profile)):
                self.waiting.pop(key, None)
                continue
            anew, since = owes(profile), begins(key, profile, erased)
            whole = [each for each in (*past, *self._followed[key]) if each[0] > since]
            catch_up(key, slot, plan, now_ms)
            error = making.guarded(
                key,
                slot,
                partial(
                    self._one, key, slot, recounts, whole, after, now_ms, since_ms, anew,
                    ahead if since == since_then else None,
                ),
            )  # fmt: skip
            if error is None:
                making.owed.pop(key, None)
            else:
                making.owe(key, slot, "history", now_ms, error)
                _give_up(slot)
                making.dirty[key] = slot
        making.encode()

    def _one(
        self,
        key: ProfileKey,
        slot: Slot,
        recounts: Recounts,
        past: Sequence[Past],
        after: Mapping[int, int],
        now_ms: int,
        since_ms: int | None,
        anew: bool,
        ahead: Ahead | None,
    ) -> None:
        assert slot.profile is not None
        step = recounts.take_back(slot.id, slot.profile, past, after, now_ms, since_ms, anew, ahead)
        self._making.take(key, slot, step)


def begins(key: ProfileKey, profile: Profile, erased: Mapping[ProfileKey, int]) -> int:
    """Up to that commit nothing counts: the profile was erased, or its past was handed to another."""
    return max(erased.get(key, 0), 0 if profile.kin is None else profile.kin.since)


def waits(profile: Profile | None) -> bool:
    return profile is not None and profile.taken is not None and bool(profile.taken.waiting)


def owes(profile: Profile) -> bool:
    debt = debt_of(profile.plan)
    return debt is not None and debt.what == "history"


def _give_up(slot: Slot) -> None:
    """What a fault of ours keeps from being carried out would be tried for ever."""
    if slot.profile is not None and slot.profile.taken is not None:
        slot.profile.taken.waiting = []
