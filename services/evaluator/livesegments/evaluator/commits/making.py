"""The commit in the making: the profiles that it touches, and everything that it will write.

Work goes the short way first. If a fault of ours ends it, all that it did is undone, and it is done again
with care, step by step: a step that raises then changes nothing, and is set aside (module `aside`). Care
costs a copy of the profile before every step, so it is taken only after a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

import structlog

from livesegments.core.debt import What, debt_of, owing
from livesegments.core.event import Event, Transition
from livesegments.core.plan import Plan
from livesegments.core.profile import decode, encode
from livesegments.core.splice import Spliced
from livesegments.core.step import Step, on_event
from livesegments.evaluator.commits.cache import States
from livesegments.evaluator.commits.dues import DueTimes
from livesegments.evaluator.commits.outcome import Tally
from livesegments.evaluator.commits.sets import Sets
from livesegments.evaluator.commits.slot import Slot
from livesegments.evaluator.commits.writes import write_dues, write_members
from livesegments.evaluator.faults.aside import Aside, is_touch
from livesegments.evaluator.history.candidates import Candidates
from livesegments.evaluator.history.images import Images
from livesegments.evaluator.kernel.share import Share
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.handing import Item
from livesegments.store.handing import encode as encode_items
from livesegments.store.tail import Entry
from livesegments.store.told import Told
from livesegments.wire.profilekey import ProfileKey, profile_key, split

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Making:
    """`touched` are all profiles in it, `dirty` those to be stored, `woken` those with another due instant.

    `careful`: every step is to go through `guarded`. `entry` is the record's part of
    history. `late`: events that came for merged profiles, by record; `items`: what is left to be handed over
    (module `kindred`); `retracted`: profiles to which the native kernel gave a retraction; `spilt`: (profile,
    id of a sender) that is stored beside the states (`{p}:merged`). `met`: what profiles were owed before, as
    far as that was looked at; `owed`: what they are now (`core.debt`).
    Once it is closed, `told` is all transitions, also those of the native kernel.
    """

    __slots__ = (
        "_cache", "_dues", "_number", "_share", "aside", "careful", "dirty", "entry", "first_bytes", "items",
        "late", "met", "noted", "owed", "retracted", "sets", "spilt", "spliced", "states", "told", "touched",
        "transitions", "woken",
    )  # fmt: skip

    def __init__(self, number: int, cache: States, dues: DueTimes, sets: Sets, share: Share | None) -> None:
        """`share`: what the native kernel does for the commit; None: it has none."""
        self._number = number
        self._share = share
        self._cache = cache
        self._dues = dues
        self.sets = sets
        self.careful = False
        self.noted: dict[str, Candidates] = {}
        """Workspace → where it is noted who is changed while its facts get their history."""
        self._clear()

    def _clear(self) -> None:
        self.touched: dict[ProfileKey, Slot] = {}
        self.dirty: dict[ProfileKey, Slot] = {}
        self.woken: dict[ProfileKey, int | None] = {}
        self.transitions: list[Transition] = []
        self.states: dict[ProfileKey, bytes] = {}
        self.spliced: dict[ProfileKey, Slot] = {}
        self.told: Told | None = None
        self.first_bytes = 0
        self.aside: list[Aside] = []
        self.entry: Entry | None = None
        self.late: dict[tuple[int, ProfileKey], list[Event]] = {}
        self.items: list[Item] = []
        self.spilt: list[tuple[ProfileKey, str]] = []
        self.retracted: list[ProfileKey] = []
        self.met: dict[ProfileKey, What] = {}
        self.owed: dict[ProfileKey, What] = {}
        self.sets.forget()

    def forget(self) -> None:
        """Nothing came of what was looked at."""
        self.touched, self.met, self.owed = {}, {}, {}
        if self._share is not None:
            self._share.release()

    @property
    def changed(self) -> bool:
        return bool(self.dirty or self.woken or (self._share is not None and self._share.changed()))

    # -- profiles

    def touch(self, key: ProfileKey, stored: bytes | None = None) -> Slot:
        """`stored` is taken only where nothing newer is known."""
        workspace, id_ = split(key)
        return self.touch_as(key, workspace, id_, stored)

    def touch_as(self, key: ProfileKey, workspace: str, id_: str, stored: bytes | None = None) -> Slot:
        """The same where the key's parts are at hand."""
        state = self._cache.get(key)
        if state is None:
            assert stored is not None, "the owner loads what `wanted` names"
            state = stored
        taken = None if self._share is None else self._share.take(key)
        if taken is None:
            slot = self.touched[key] = Slot(workspace, id_, state)
            return slot
        changed, before_ms, wake_ms = taken
        slot = self.touched[key] = self.dirty[key] = Slot.undecoded(workspace, id_, state, before_ms)
        slot.profile, slot.wake_ms = decode(changed), wake_ms
        if wake_ms != before_ms:
            self.woken[key] = wake_ms
        return slot

    def take(self, key: ProfileKey, slot: Slot, step: Step) -> None:
        """What a step did."""
        slot.profile = step.profile
        self.dirty[key] = slot
        if step.transitions:
            self.transitions += step.transitions
        if step.wake_at != slot.wake_ms:
            self.wake(key, slot, step.wake_at)

    def wake(self, key: ProfileKey, slot: Slot, wake_ms: int | None) -> None:
        self._dues.put(key, wake_ms, slot.wake_ms)
        slot.wake_ms = wake_ms
        self.woken[key] = wake_ms

    def splice(
        self, key: ProfileKey, workspace: str, id_: str, state: bytes, spliced: Spliced, holds: bool
    ) -> None:
        """A profile that is not decoded goes from `state` to another. `holds`: it may be in a new segment."""
        if holds and workspace in self.noted:
            self.noted[workspace].note((id_,))
        slot = Slot.undecoded(workspace, id_, state, spliced.wake_before_ms)
        self.touched[key] = self.spliced[key] = slot
        if self._share is not None:
            self._share.take(key)
        self.states[key] = spliced.state
        if spliced.wake_ms != spliced.wake_before_ms:
            self.wake(key, slot, spliced.wake_ms)

    def meet(self, key: ProfileKey, what: What) -> None:
        """A profile comes up that was owed something before this commit."""
        if key not in self.owed:
            self.met[key] = what

    def owe(self, key: ProfileKey, slot: Slot, what: What, until_ms: int, error: Exception) -> None:
        """A fault of ours keeps something from a profile. It is set aside if nothing was owed to it yet.

        Its dues up to `until_ms` are forgotten; otherwise they would be tried for ever.
        """
        profile = slot.profile
        assert profile is not None
        if key not in self.met and key not in self.owed:
            self.aside.append(Aside(what, slot.workspace, slot.id, until_ms, error))
            self.dirty[key] = slot
        self.owed.setdefault(key, what)
        wake = profile.wake_at
        if wake is not None and wake <= until_ms:
            profile.dues = {name: due for name, due in profile.dues.items() if due > until_ms}
            self.dirty[key] = slot
            self.wake(key, slot, profile.wake_at)

    def encode(self) -> None:
        """The states to be stored; a fault there is met like one in a step."""
        if self.owed:
            self._mark()
        states = self.states
        for key, slot in self.dirty.items():
            states[key] = self._encoded(slot)

    def encode_some(self, keys_: Iterable[ProfileKey]) -> None:
        """The same for some profiles: a slice of a commit encodes its own."""
        if self.owed:
            self._mark()
        states, dirty = self.states, self.dirty
        for key in keys_:
            slot = dirty.get(key)
            if slot is not None:
                states[key] = self._encoded(slot)

    def _encoded(self, slot: Slot) -> bytes:
        profile = slot.profile
        assert profile is not None
        if not profile.number:
            profile.number = self.sets.number(slot.workspace, slot.id)
        return encode(profile)

    def _number_of(self, workspace: str, id_: str) -> int:
        profile = self.touched[profile_key(workspace, id_)].profile
        assert profile is not None
        return profile.number

    def _mark(self) -> None:
        """What is owed to a profile stands in its state."""
        for key, what in list(self.owed.items()):
            profile = self.touched[key].profile
            if profile is None or profile.gone:
                del self.owed[key]
            elif debt_of(profile.plan) is None:
                profile.plan = owing(profile.plan, what)

    # -- faults of ours

    def steady(self, work: Callable[[], T]) -> T:
        """If a fault of ours ends the work, all that it did is undone, and it is done again with care."""
        try:
            return work()
        except Exception as error:
            _log.warning("a fault of ours: again, step by step", partition=self._number, error=repr(error))
            self._dues.undo({key: self.touched[key].stored_wake_ms for key in self.woken})
            if self._share is not None:
                self._share.undo()
            self._clear()
        self.careful = True
        try:
            return work()
        finally:
            self.careful = False

    def guarded(self, key: ProfileKey, slot: Slot, step: Callable[[], object]) -> Exception | None:
        """Where care is taken, a step that raises changes nothing. Returns the error that it raised."""
        if not self.careful:
            step()
            return None
        before = None if slot.profile is None else encode(slot.profile)
        wake, transitions, dirty = slot.wake_ms, len(self.transitions), key in self.dirty
        try:
            step()
            if slot.profile is not None:
                encode(slot.profile)
        except Exception as error:
            slot.profile = None if before is None else decode(before)
            del self.transitions[transitions:]
            if not dirty:
                self.dirty.pop(key, None)
            if slot.wake_ms != wake:
                self.wake(key, slot, wake)
            return error
        return None

    def put_by(self, key: ProfileKey, event: Event, place: int, tally: Tally) -> None:
        """An event that came for a merged profile."""
        self.late.setdefault((tally.record_of(place), key), []).append(event)
        tally.left_out.append(place)

    def apply(
        self, key: ProfileKey, slot: Slot, plan: Plan, event: Event, clock_ms: int, place: int, tally: Tally
    ) -> None:
        """One event with care; `Partition` has the short way."""

        def step() -> None:
            step = on_event(plan, slot.profile, event, clock_ms)
            if step.changed:
                self.take(key, slot, step)
                tally.derived += [(place, each) for each in step.derived]
            else:
                tally.leave(place, event, step)

        error = self.guarded(key, slot, step)
        if error is not None:
            if not is_touch(event):
                self.aside.append(
                    Aside("event", plan.workspace, event.profile, clock_ms, error, event, place)
                )
            tally.left_out.append(place)

    # -- its end

    def write(self, commit: Commit, images: Images | None, clock_ms: int) -> tuple[Told, int]:
        """Writes everything into the commit, and remembers the states. Returns the transitions, and the
        length of the first state.

        The next commit begins with nothing.
        """
        profiles: dict[str, dict[str, bytes]] = {}
        spliced, cache, dirty = self.spliced, self._cache, self.dirty
        for workspace, candidates in self.noted.items():
            candidates.note([slot.id for slot in dirty.values() if slot.workspace == workspace])
        dirty = {**dirty, **spliced} if spliced else dirty
        for key, state in self.states.items():
            slot = dirty[key]
            fields = profiles.get(slot.workspace)
            if fields is None:
                fields = profiles[slot.workspace] = {}
            fields[slot.id] = state
            if images is not None:
                images.keep(key, slot.stored)
        if spliced:  # profiles in the order of a history take no place from those that events come for
            kept = {
                key: state
                for key, state in self.states.items()
                if key not in spliced or cache.get(key) is not None
            }
            cache.put_all(kept)
        else:
            cache.put_all(self.states)
        for workspace, fields in profiles.items():
            commit.put_fields(keys.profiles(self._number, workspace), fields)
        if self._share is None:
            write_dues(commit, self._dues.take_unwritten(clock_ms))
        self.sets.write_new(commit)
        if self.transitions:
            write_members(commit, self.sets, self.transitions, self._number_of)
        told = Told.of(self.transitions) if self.told is None else self.told
        encoded = commit.announce(told) if told else None
        if encoded is not None or self.entry is not None:
            commit.remember(self.entry or Entry(), encoded)
        if self.items:
            commit.hand(encode_items(self.items))
        if self.spilt:
            commit.put_fields(keys.merged(self._number), {f"{key}\0{each}": "" for key, each in self.spilt})
        first = self.first_bytes or len(next(iter(self.states.values()), b""))
        self._clear()
        self._cache.trim()
        self._dues.trim()
        return told, first

    def has_any(self, profiles: Collection[ProfileKey]) -> bool:
        """Whether one of them was looked at or changed for the commit; before it is closed."""
        if not profiles:
            return False
        if not self.touched.keys().isdisjoint(profiles):
            return True
        return self._share is not None and not set(self._share.changed()).isdisjoint(profiles)

    def close(self, commit: Commit, images: Images | None, clock_ms: int) -> None:
        """Nothing more happens in it: the native kernel writes its share."""
        if self._share is None:
            return
        self._note(self._share, images)
        self.told, self.first_bytes = self._share.write(commit, self.sets, self.transitions, clock_ms)

    def _note(self, share: Share, images: Images | None) -> None:
        """What others want to know of the profiles that the native kernel has changed."""
        if images is None and not self.noted:
            return
        ids = dict[str, list[str]]()
        if images is not None:
            for key in share.changed():
                images.keep(key, self._cache.get(key) or b"")
        for key in share.concerned() if self.noted else ():
            workspace, id_ = split(key)
            ids.setdefault(workspace, []).append(id_)
        for workspace, candidates in self.noted.items():
            candidates.note(ids.get(workspace, ()))
