"""The race: the incremental core and the oracle live through one history, and must never disagree.

The core is driven as the evaluator drives it: its profile is stored after a step that changed it and
sometimes read back, a new plan reaches it only when it is next touched (or at once), every due fires at
its own instant. A definition that reads new facts is staged: its old version serves, and the facts are kept,
until the profile has been given its history, as the archive would have it.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from livesegments.core.backfill import Backfill, Past
from livesegments.core.bounds import Bounds, attribute_bytes
from livesegments.core.concern import concern
from livesegments.core.event import Event, Transition, derived_from
from livesegments.core.exact import exact
from livesegments.core.explain import next_flips
from livesegments.core.list_versions import ListVersions, Since
from livesegments.core.oracle.oracle import Flip, Oracle
from livesegments.core.plan import Limits, Plan, Segment, compile
from livesegments.core.profile import WAITING, Profile, decode, encode
from livesegments.core.recount import Ahead, Recounts
from livesegments.core.rewritten import astray, rewritten
from livesegments.core.staging import Staging, stage
from livesegments.core.step import FEW, Step, on_clock, on_event, on_plan
from livesegments.core.value import kind
from livesegments.core.wanted import wanted
from tests.properties.catalogue import Delete, Put
from tests.properties.definitions import contents, node, written_out
from tests.properties.histories import DAY, Command, Fill, Forget, Happen, History, Look, Recount, Tick, When

AHEAD_MS = 800 * DAY
"""How far the oracle looks for the next change."""


class Race:
    def __init__(self, history: History) -> None:
        self.history = history
        bounds = Bounds(**dict.fromkeys(Bounds.__struct_fields__, history.most)) if history.most else Bounds()
        self.limits = Limits(history.dedup_window_ms, history.dedup_max_ids, bounds)
        self.oracle = Oracle(
            history.zone,
            history.dedup_window_ms,
            history.dedup_max_ids,
            msgspec.structs.asdict(bounds),
        )
        self.clock_ms = int(datetime.fromisoformat(history.start).timestamp() * 1_000)
        self.times: dict[str, int] = {}
        """When the event with an id happened, the one that came last."""
        self.segments: dict[str, Segment] = {}
        self.versions: dict[str, int] = {}
        self.staging = Staging({}, {})
        self.revisions: dict[str, int] = {}
        self.backfilled: set[str] = set()
        self.since: dict[int, int] = {}
        self.wanting: dict[int, int] = {}
        self.walked = -1
        self.gone: set[str] = set()
        self.past: list[Past] = []
        self.lists: dict[str, list[Since]] = {}
        """Of the static segments that are served: their versions, the newest first, as a partition notes them."""
        self.audited = 0
        self.definitions = 0
        self.plan: Plan = compile("w", history.zone, [], 0, self.limits)
        self.profile: Profile | None = None
        self.stored: bytes | None = None
        self.sequences: dict[str, int] = {}
        self.told: list[Transition] = []
        self.refusals = self.compared = 0
        self.retractions = 0

    def run(self) -> None:
        for number, command in enumerate(self.history.commands):
            try:
                self.step(command)
            except AssertionError as error:
                error.add_note(f"at command {number}: {command} with the clock at {self.clock_ms}")
                raise
        if self.profile is not None:
            self._adopt()
            right = rewritten(self.past, ListVersions(self.lists))
            self.audited += sum(name[:1] != WAITING for name in right.lists)
            assert astray(self.profile, right) == astray(decode(encode(self.profile)), right) == []

    def step(self, command: Command) -> None:
        match command:
            case Put():
                self._put(command)
            case Delete():
                del self.segments[command.segment]
                self._define(command.lazily)
            case Happen():
                self._happen(command)
            case Tick():
                self._advance(max(self.clock_ms, self._resolved(command.when)))
            case Fill():
                self._fill()
                self._restage(command.lazily)
            case Forget() if self.stored is not None:
                self.profile = decode(self.stored)
            case Look():
                self._adopt()
            case Recount():
                self._recount()
        if self.profile is not None and self.profile.plan == self.plan.revision:
            self._same_members(self.profile)
            self._same_changes(self.profile)
            self.compared += 1

    # -- definitions

    def _put(self, command: Put) -> None:
        old = self.segments.get(command.segment)
        root = None if command.definition is None else node(command.definition)
        self.definitions += 1
        if old is None or old.definition is not None or root is not None:
            version = self.versions[command.segment] = self.versions.get(command.segment, 0) + 1
            self.segments[command.segment] = Segment(command.segment, version, self.definitions, root)
        self._define(command.lazily)

    def _define(self, lazily: bool) -> None:
        """New facts are kept from now on, and want their history."""
        self.newest = compile(
            "w", self.history.zone, self.segments.values(), self.definitions, self.limits, contents=contents
        )
        for fact in self.newest.fact_ids - self.since.keys():
            self.since[fact] = self.plan.revision + 1
            if self.past:
                self.wanting[fact] = len(self.past)
        self._restage(lazily)

    def _restage(self, lazily: bool) -> None:
        before, revision = self.staging, self.plan.revision + 1
        self.staging = stage(
            self.segments,
            before.served,
            lambda segment: not self.wanting.keys().isdisjoint(self.newest.facts_of(segment.id)),
        )
        self.gone |= before.served.keys() - self.staging.served.keys()
        for id_ in before.served.keys() - self.staging.served.keys():
            self.lists.pop(id_, None)
        for id_, segment in self.staging.served.items():
            if segment.definition is not None:
                self.lists.pop(id_, None)
            elif id_ not in self.lists or self.lists[id_][0][0] != segment.definition_version:
                self.lists.setdefault(id_, []).insert(0, (segment.definition_version, len(self.past)))
            if before.served.get(id_) != segment:
                self.revisions[id_] = revision
                self.backfilled -= {id_}
                self.backfilled |= {id_} & before.staged.keys()
        self.backfilled &= self.staging.served.keys()
        served, staged = self.staging.served.values(), self.staging.staged.values()
        plan = compile(
            "w", self.history.zone, served, revision, self.limits, self.plan, staged, contents=contents
        )
        self.plan = plan.at(revision, self.revisions, self.backfilled)
        for fact in self.since.keys() - self.plan.fact_ids:
            del self.since[fact]
            self.wanting.pop(fact, None)
        roots = {each.id: each.definition and written_out(each.definition) for each in served}
        self.oracle.define(roots, {segment.id: segment.definition_version for segment in served})
        if not lazily:
            self._adopt()

    def _adopt(self) -> None:
        """Brings the profile to the plan at the clock's instant."""
        if self.profile is None or self.profile.plan == self.plan.revision:
            return
        flips = self.oracle.adopt(self.clock_ms, self.plan.cause_since(self.profile.plan))
        looked_for = concern(self.plan, self.walked, self.gone)
        passed_over = looked_for is not None and not looked_for(encode(self.profile))
        dues = dict(self.profile.dues)
        few = FEW if self.plan.revision % 4 == 0 else 0  # 0: only where the profile leads
        step = self._to_plan(self.profile, few)
        self._take(step)
        self._same_flips(step.transitions, flips)
        if passed_over:
            assert not step.transitions, "a walk would have passed it over"
            assert all(dues[name] <= due for name, due in step.profile.dues.items()), (
                "it would sleep too long"
            )
        self.walked, self.gone = self.plan.revision, set()

    @property
    def waits(self) -> bool:
        """Whether retractions are still to be carried out."""
        return (
            self.profile is not None and self.profile.taken is not None and bool(self.profile.taken.waiting)
        )

    def _recount(self) -> None:
        """Carries out the retractions that wait, by the profile's history."""
        if not self.waits:
            return
        self._adopt()
        assert self.profile is not None
        flips = self.oracle.recount(self.clock_ms)
        recounts = Recounts(self.plan, at_once=3)
        before = self.past[
            : len(self.past) - len(self.past) % 3
        ]  # counted beforehand; the rest comes meanwhile
        ahead = exhausted(recounts.ahead(self.profile, before, self.wanting, self.clock_ms, False))
        step = recounts.take_back("p", self.profile, self.past, self.wanting, self.clock_ms, ahead=ahead)
        self._take(step)
        self._same_flips(step.transitions, flips)
        self.retractions += 1

    def _fill(self) -> None:
        """Gives the profile the history that its new facts want."""
        self._recount()
        self._adopt()
        if self.profile is not None and self.wanting:
            backfill = Backfill(self.plan, self.wanting)
            asked = wanted(self.plan, self.wanting, self.clock_ms)
            past = [
                (
                    commit,
                    msgspec.structs.replace(each, properties=_kept(each.properties, asked.names[each.name])),
                )
                for commit, each in self.past
                if each.name in asked.names and each.time_ms >= asked.since.get(each.name, each.time_ms)
            ]
            past.sort(key=lambda each: (each[1].time_ms, each[1].id))
            if self._give(backfill, self.profile, past):
                self.stored = encode(self.profile)
        self.wanting = {}

    # -- events and the clock

    def _resolved(self, when: When) -> int:
        if when.of in self.times:
            return self.times[when.of] + when.plus_ms
        wake = self.profile.wake_at if self.profile is not None and when.wake else None
        if wake is None or wake > self.clock_ms + AHEAD_MS:
            wake = self.clock_ms
        return wake + when.plus_ms

    def _happen(self, command: Happen) -> None:
        time_ms = self.times[command.id] = self._resolved(command.when)
        now = max(self.clock_ms, time_ms)
        self._advance(now)
        self._adopt()
        event = Event(command.id, "w", "p", command.name, time_ms, command.properties)
        flips = self.oracle.apply(event, now)
        before = None if self.profile is None else encode(self.profile)
        step = self._event(event, now)
        refused = step.refused and step.refused.bound
        assert refused == self.oracle.refused, f"core refuses {refused}, oracle {self.oracle.refused}"
        if refused:
            self.refusals += 1
            assert not step.changed and not step.transitions and not flips
            if before is not None:
                old, new = decode(before), decode(encode(step.profile))
                assert attribute_bytes(old) == attribute_bytes(new)
                assert encode(old) == encode(new), "refused, but changed"
            return
        if not step.duplicate:
            self.past.append((len(self.past) + 1, event))
        self._take(step)
        self._same_flips(step.transitions, flips)

    def _advance(self, until: int) -> None:
        """Every due up to `until`; a profile with an older plan and none is left alone."""
        transitions: list[Transition] = []
        wake = self.profile.wake_at if self.profile is not None else None
        if wake is not None and wake <= until:
            self._adopt()
        while self.profile is not None and (wake := self.profile.wake_at) is not None and wake <= until:
            assert wake > self.clock_ms, "a due lies in the past"
            step = self._clock(self.profile, wake)
            self.clock_ms = wake
            self._take(step)
            transitions += step.transitions
        self.clock_ms = until
        if self.profile is None or self.profile.plan == self.plan.revision:
            self._same_flips(transitions, self.oracle.advance(until))

    def _to_plan(self, profile: Profile, few: int) -> Step:
        return on_plan(self.plan, "p", profile, self.clock_ms, self.since, self.walked, few)

    def _give(self, backfill: Backfill, profile: Profile, past: list[Past]) -> bool:
        return backfill.give(profile, past, self.clock_ms)

    def _event(self, event: Event, now_ms: int) -> Step:
        return on_event(self.plan, self.profile, event, now_ms)

    def _clock(self, profile: Profile, now_ms: int) -> Step:
        return on_clock(self.plan, "p", profile, now_ms)

    def _take(self, step: Step) -> None:
        self.profile = step.profile
        assert step.wake_at == step.profile.wake_at
        if step.changed:
            self.stored = encode(step.profile)
        assert step.changed or not step.transitions
        events = [*step.derived, *map(derived_from, step.transitions)]
        self.past += [(len(self.past) + 1, each) for each in events]

    # -- comparison

    def _same_flips(self, transitions: list[Transition], flips: list[Flip]) -> None:
        told = [
            Flip(each.segment, each.kind, each.at_ms, each.cause, each.event_id, _plain(each.computed))
            for each in transitions
        ]
        flips = [msgspec.structs.replace(each, computed=_plain(each.computed)) for each in flips]
        core, oracle = (
            sorted(each, key=lambda flip: (flip.at_ms, flip.segment, flip.kind)) for each in (told, flips)
        )
        assert core == oracle, f"core {core}\noracle {oracle}"
        for each in transitions:
            assert each.sequence == self.sequences.get(each.segment, 0) + 1, "a gap"
            self.sequences[each.segment] = each.sequence
        self.told += transitions

    def _same_members(self, profile: Profile) -> None:
        memberships = profile.memberships.items()
        core = {segment for segment, membership in memberships if membership.entered_ms is not None}
        assert core == self.oracle.members(), f"core {core}, oracle {self.oracle.members()}"

    def _same_changes(self, profile: Profile) -> None:
        """When the clock alone flips each segment, if nothing else happens."""
        horizon = self.clock_ms + AHEAD_MS
        changes = self.oracle.next_changes(horizon)
        earliest, wake = min(changes.values(), default=None), profile.wake_at
        assert earliest is None or (wake is not None and wake <= earliest), f"wakes at {wake}, not {earliest}"
        found = next_flips(self.plan, "p", profile, self.staging.served)
        core = {segment: at for segment, at in found.items() if at <= horizon}
        assert core == changes, f"the clock alone: core {core}, oracle {changes}"


def exhausted(slices: Generator[None, None, Ahead]) -> Ahead:
    while True:
        try:
            next(slices)
        except StopIteration as done:
            ahead: Ahead = done.value
            return ahead


def _kept(properties: Mapping[str, Any], heads: Collection[str]) -> dict[str, Any]:
    return {head: properties[head] for head in heads if head in properties}


def _plain(computed: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Computed values with one form for each number: 1.152921504606847e18 is 1152921504606847000, too."""
    if computed is None:
        return None
    return {id_: exact(value) if kind(value) == "number" else value for id_, value in computed.items()}
