"""One partition's evaluation, without I/O: what comes in and the instant → what to commit.

Its owner gives it what it needs before it asks: the states (`cache`), the next dues (`dues`), the plans.
Every method that changes something ends in an `Outcome`: one commit, to be sent in the order in which
they were made. In memory the partition is then already past it; if a commit is refused, the partition
is thrown away and made anew from what is stored.

The clock never goes back. In mode `log` events alone move it, one by one; in mode `wall` a record's stamp
(its receipt) moves it too. Before a profile's event every due of that profile up to the clock fires, in
order, each at its own instant; what is due of other profiles may fire before or after, for profiles know
nothing of each other. So a profile goes through the same whenever its dues are fired, and by whom: by its
own next event, with another's record, in a chunk, or by a walk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from livesegments.core.bounds import Refusal
from livesegments.core.event import Event, Transition
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.step import Step, on_clock, on_event, on_plan
from livesegments.evaluator.cache import Cache
from livesegments.evaluator.dues import Dues
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.shard import Head
from livesegments.wire.profilekey import ProfileKey, profile_key, split

NEVER_MS = -(2**62)
"""The clock before the first event."""
NEW = b""
"""The state of a profile never seen."""


class Slot:
    """A profile that the commit in the making touches; `wake_ms` is the due instant that is stored for it."""

    __slots__ = ("id", "profile", "wake_ms", "workspace")

    def __init__(self, workspace: str, id_: str, state: bytes) -> None:
        self.workspace = workspace
        self.id = id_
        self.profile = decode(state) if state else None
        self.wake_ms = None if self.profile is None else self.profile.wake_at


class Outcome(Struct):
    """A commit to send and what to tell when it is applied."""

    commit: Commit
    transitions: list[Transition]
    events: int = 0
    duplicates: int = 0
    unknown_workspace: int = 0
    """Events of workspaces that are not in the catalogue."""
    refused: Sequence[tuple[Event, Refusal]] = ()
    """Events that would have brought their profile beyond a bound, in order; nothing of them is applied."""


class Partition:
    """`since`: workspace → fact id → revision from which this partition keeps the fact.

    `cache_bytes` bounds the states that are held, `dues` the due instants.
    """

    def __init__(self, number: int, head: Head, cache_bytes: int, dues: int) -> None:
        self.number = number
        self.commit = head.commit
        self.offset = head.offset
        self.clock_ms = NEVER_MS if head.clock_ms is None else head.clock_ms
        self.catalog = head.catalog
        self.plans: dict[str, Plan] = {}
        self.since: dict[str, Mapping[int, int]] = {}
        self.cache = Cache(cache_bytes)
        self.dues = Dues(dues)
        self._touched: dict[ProfileKey, Slot] = {}
        self._dirty: dict[ProfileKey, Slot] = {}
        self._woken: dict[ProfileKey, int | None] = {}
        self._transitions: list[Transition] = []

    # -- what must be there before

    def after(self, events: Sequence[Event], stamp_ms: int | None) -> int:
        """The instant of the clock after the last of the events."""
        start = self.clock_ms if stamp_ms is None else max(self.clock_ms, stamp_ms)
        return max(start, max((event.time_ms for event in events), default=start))

    def wanted(self, events: Iterable[Event], along: Iterable[ProfileKey]) -> list[ProfileKey]:
        """Keys of the profiles that events and the dues `along` with them need and that are not cached."""
        keys_ = [profile_key(event.workspace, event.profile) for event in events]
        keys_ += along
        return self.cache.missing(keys_)

    def give(self, key: ProfileKey, state: bytes | None) -> None:
        """A profile as it is stored, or None for one never seen."""
        self.cache.put(key, state or NEW)

    # -- what happens

    def apply(
        self, events: Sequence[Event], stamp_ms: int | None, offset: int, along: bool = True
    ) -> Outcome:
        """A packed record, received at `stamp_ms` (None in mode `log`); `offset` is the next one's.

        `along`: all that is due up to the clock fires with it, not only what its own profiles wait for.
        """
        clock = self.clock_ms if stamp_ms is None else max(self.clock_ms, stamp_ms)
        plans, dues, touched, dirty = self.plans, self.dues, self._touched, self._dirty
        duplicates = unknown_workspace = 0
        refused: list[tuple[Event, Refusal]] = []
        for event in events:
            workspace = event.workspace
            plan = plans.get(workspace)
            if plan is None:
                unknown_workspace += 1
                continue
            clock = max(clock, event.time_ms)
            if along and dues.heap and dues.heap[0][0] <= clock:
                self._fire(clock, None)
            key = profile_key(workspace, event.profile)
            slot = touched.get(key) or self._touch(key)
            profile, wake = slot.profile, slot.wake_ms
            if profile is not None and (
                profile.plan != plan.revision or (wake is not None and wake <= clock)
            ):
                self._catch_up(key, slot, profile, plan, clock)
                profile = slot.profile
            step = on_event(plan, profile, event, clock)
            if step.changed:
                slot.profile = step.profile
                dirty[key] = slot
                if step.transitions:
                    self._transitions += step.transitions
                if step.wake_at != slot.wake_ms:
                    self._wake(key, slot, step.wake_at)
            elif step.duplicate:
                duplicates += 1
            elif step.refused is not None:
                refused.append((event, step.refused))
        self.clock_ms = clock
        self.offset = offset
        outcome = self.seal()
        outcome.events, outcome.duplicates, outcome.unknown_workspace = (
            len(events),
            duplicates,
            unknown_workspace,
        )
        outcome.refused = refused
        return outcome

    def skip(self, offset: int) -> Outcome:
        """A record that changes nothing."""
        self.offset = offset
        return self.seal()

    def fire(self, until_ms: int, limit: int | None = None) -> Outcome:
        """At most `limit` dues up to `until_ms`; the clock comes to the last of them.

        It does not come to `until_ms`: so the log and the dues alone say what a profile goes through, and
        that is the same when the log is applied again, whenever somebody looked at the clock.
        """
        fired = self._fire(until_ms, limit)
        if fired is not None and fired > self.clock_ms:
            self.clock_ms = fired
        return self.seal()

    def pass_to(self, to_ms: int) -> bool:
        """The clock goes on by itself, unless something is still due up to there, or up to the clock."""
        to_ms = max(to_ms, self.clock_ms)
        next_ms = self.dues.next()
        if not self.dues.covers(to_ms) or (next_ms is not None and next_ms <= to_ms):
            return False
        self.clock_ms = to_ms
        return True

    def walk(self, workspace: str, stored: Mapping[str, bytes]) -> None:
        """Brings a chunk of stored profiles to the workspace's plan; `seal` makes the commit of it."""
        plan = self.plans[workspace]
        for id_, data in stored.items():
            key = profile_key(workspace, id_)
            slot = self._touch(key, data)
            if slot.profile is not None and slot.profile.plan != plan.revision:
                self._catch_up(key, slot, slot.profile, plan, self.clock_ms)
        if not self.changed:
            self._touched = {}

    @property
    def changed(self) -> bool:
        """Whether `walk` left anything to commit."""
        return bool(self._dirty or self._woken)

    # -- inside

    def _touch(self, key: ProfileKey, stored: bytes | None = None) -> Slot:
        """`stored` counts only where nothing newer is known."""
        state = self.cache.get(key)
        if state is None:
            assert stored is not None, "the owner loads what `wanted` names"
            state = stored
        workspace, id_ = split(key)
        slot = self._touched[key] = Slot(workspace, id_, state)
        return slot

    def _fire(self, until_ms: int, limit: int | None) -> int | None:
        """Fires dues in order; the instant of the last."""
        pop, last = self.dues.pop, None
        while (limit is None or limit > 0) and (entry := pop(until_ms)):
            due, key = last, _ = entry
            if limit is not None:
                limit -= 1
            slot = self._touched.get(key) or self._touch(key)
            slot.wake_ms = None
            self._woken[key] = None
            plan, profile = self.plans.get(slot.workspace), slot.profile
            if plan is None or profile is None:
                continue
            self._catch_up(key, slot, profile, plan, due)
            if profile.wake_at != slot.wake_ms:
                self._wake(key, slot, profile.wake_at)
        return last

    def _catch_up(self, key: ProfileKey, slot: Slot, profile: Profile, plan: Plan, until_ms: int) -> None:
        """Brings a profile to the plan, and fires its dues up to `until_ms`, each at its own instant.

        An older plan is left at the last instant at which all that was due has fired: `on_plan` asks for
        that. So what falls due then is judged by the new plan.
        """
        wake = profile.wake_at
        if profile.plan != plan.revision:
            at_ms = until_ms if wake is None else min(until_ms, wake - 1)
            step = on_plan(plan, slot.id, profile, at_ms, self.since.get(slot.workspace, {}))
            if step.changed:
                self._take(key, slot, step)
            wake = step.wake_at
        while wake is not None and wake <= until_ms:
            step = on_clock(plan, slot.id, profile, wake)
            assert step.wake_at is None or step.wake_at > wake, "a due that fired lies in the past"
            self._take(key, slot, step)
            wake = step.wake_at

    def _take(self, key: ProfileKey, slot: Slot, step: Step) -> None:
        slot.profile = step.profile
        self._dirty[key] = slot
        self._transitions += step.transitions
        if step.wake_at != slot.wake_ms:
            self._wake(key, slot, step.wake_at)

    def _wake(self, key: ProfileKey, slot: Slot, wake_ms: int | None) -> None:
        slot.wake_ms = wake_ms
        self._woken[key] = wake_ms
        self.dues.put(key, wake_ms)

    def seal(self, write: Callable[[Commit], None] | None = None) -> Outcome:
        """Ends the commit in the making with what `write` adds; nothing may be written to it afterwards."""
        self.commit += 1
        clock = None if self.clock_ms == NEVER_MS else self.clock_ms
        commit = Commit(self.number, self.commit, self.offset, clock, self.catalog)
        profiles: dict[str, dict[str, str | bytes]] = {}
        for key, slot in self._dirty.items():
            assert slot.profile is not None
            state = encode(slot.profile)
            self.cache.put(key, state)
            profiles.setdefault(slot.workspace, {})[slot.id] = state
        for workspace, fields in profiles.items():
            commit.put_fields(keys.profiles(self.number, workspace), fields)
        if self._woken:
            self._write_dues(commit)
        if self._transitions:
            self._write_members(commit)
            commit.announce(self._transitions)
        if write is not None:
            write(commit)
        outcome = Outcome(commit, self._transitions)
        self._touched, self._dirty, self._woken, self._transitions = {}, {}, {}, []
        self.cache.trim()
        self.dues.trim()
        return outcome

    def _write_dues(self, commit: Commit) -> None:
        key = keys.due(self.number)
        set_ = {member: due for member, due in self._woken.items() if due is not None}
        if set_:
            commit.score(key, set_)
        if len(set_) < len(self._woken):
            commit.unscore(key, [member for member, due in self._woken.items() if due is None])

    def _write_members(self, commit: Commit) -> None:
        """Only where each profile ended up: it may have entered and exited within one commit."""
        last = {(each.workspace, each.segment, each.profile): each.kind for each in self._transitions}
        moves: dict[tuple[str, str], tuple[dict[str, int], list[str]]] = {}
        for (workspace, segment, profile), kind in last.items():
            entered, exited = moves.setdefault((workspace, segment), ({}, []))
            if kind == "entered":
                entered[profile] = 0
            else:
                exited.append(profile)
        for (workspace, segment), (entered, exited) in moves.items():
            key = keys.members(self.number, workspace, segment)
            if entered:
                commit.score(key, entered)
            if exited:
                commit.unscore(key, exited)
