"""The race of several profiles that go into each other: core and oracle, and nothing counts twice or is lost.

Events of theirs are taken back meanwhile, by whichever profile, and the retractions carried out by the history that a
profile has then; and one may be erased, and be let in again.

Every profile has a partition of its own, with a clock and a log of what is handed over to it. What a profile hands
over lies in the other's log until it is taken from there, so anything may come in between; and at times a sender
hands the newest of it over again, as it does after a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from livesegments.core.backfill import Past
from livesegments.core.bounds import Bounds
from livesegments.core.event import MERGE, Event, Transition, derived_from
from livesegments.core.handed import Handed
from livesegments.core.merging import Onward, on_late, on_merge, receive
from livesegments.core.oracle.oracle import Flip, Oracle
from livesegments.core.plan import Limits, Plan, Segment, compile
from livesegments.core.profile import Profile, decode, encode
from livesegments.core.recount import Recounts
from livesegments.core.step import Why, on_clock, on_event, on_leave
from livesegments.wire import pack
from tests.properties.catalogue import Put
from tests.properties.definitions import contents, node, written_out
from tests.properties.family_stories import MEMBERS, Again, Carry, Command, Gone, Merge, Story, Take, To
from tests.properties.histories import DAY, Happen, Tick, When

AHEAD_MS = 800 * DAY
COUNTED = [Put(f"counted {count}", {"type": "event", "name": "a", "value": count}) for count in (1, 2, 3)]
"""What is taken back is hardly ever an event that random definitions count."""
CHUNK = 2
"""Events that are handed over at once."""


class Member:
    """A profile, as core and oracle have it."""

    def __init__(self, name: str, plan: Plan, oracle: Oracle, clock_ms: int, times: dict[str, int]) -> None:
        self.name = name
        self.plan = plan
        self.oracle = oracle
        self.clock_ms = clock_ms
        self.times = times
        """When the event with an id happened, the one that came last, to whomever."""
        self.profile: Profile | None = None
        self.log: list[Handed] = []
        self.sent: list[Handed] = []
        self.history: list[Event] = []
        """What was applied to it and is its own still."""
        self.past: list[Past] = []
        """What its archive has: its history, and what followed from it."""
        self.kept_out = False
        self.accepted: list[str] = []
        """Ids of what came for it from outside, and was no repeat."""
        self.returns = 0
        self.commit = 0
        self.sequences: dict[str, int] = {}

    # -- what happens

    def happen(self, command: Happen) -> list[Handed]:
        if self.kept_out:
            return []
        event = Event(
            command.id, "w", self.name, command.name, self._resolved(command.when), command.properties
        )
        self.times[event.id] = event.time_ms
        now = self._comes_to(event.time_ms)
        if self.profile is not None and self.profile.gone:
            known = self.oracle.repeats(event, now)
            onward = on_late(self.plan, self.profile, [event], now)
            assert (onward.handed is None) == known
            self.accepted += [] if known else [event.id]
            return self._stored([] if onward.handed is None else [onward.handed])
        flips = self.oracle.apply(event, now)
        step = on_event(self.plan, self.profile, event, now)
        assert (step.refused and step.refused.bound) == self.oracle.refused
        if step.refused is None:
            self.profile = step.profile
            self.history += [] if step.duplicate else [event]
            self.accepted += [] if step.duplicate else [event.id]
            self._keep([] if step.duplicate else [event, *step.derived])
        self._same(step.transitions, flips)
        return self._stored([])

    def merge(self, event: Event) -> list[Handed]:
        if self.kept_out:
            return []
        now = self._comes_to(event.time_ms)
        if self.profile is not None and self.profile.gone:
            return []
        left = on_merge(self.plan, self.profile, event, now, self.commit)
        if left is None:
            return []
        assert left.history == (self.profile is not None)
        self._same(left.transitions, self.oracle.leave(event, now))
        self.profile = left.profile
        kin = left.profile.kin
        assert kin is not None
        past, self.history, self.past = self.history, [], []
        if not left.history:
            return self._stored([])
        into = str(kin.into)
        chunks = [past[at : at + CHUNK] for at in range(0, len(past), CHUNK)] or [[]]
        return self._stored([
            Handed(
                "w", into, [(self.name, event.id)], kin.sent, chunk,
                [replace(each, profile=into) for each in events], True,
                left.profile.seen if chunk == len(chunks) - 1 else b"",
            )
            for chunk, events in enumerate(chunks)
        ])  # fmt: skip

    def take(self, handed: Handed, arrivals: list[tuple[str, int]]) -> list[Handed]:
        """`arrivals`: what the sender of the history had seen when it went."""
        assert handed.profile == self.name
        if self.kept_out:
            return []
        now = self._comes_to(max((each.time_ms for each in handed.events), default=self.clock_ms))
        was_gone = self.profile is not None and self.profile.gone
        result = receive(self.plan, self.profile, handed, now)
        if result is None:
            return self._stored([])
        self.profile = result.profile
        if isinstance(result, Onward):
            assert result.handed is not None
            return self._stored([result.handed])
        if was_gone:
            self.returns += 1
            self.oracle.come_back()
        flips: list[Flip] = []
        refused: list[str] = []
        if handed.history or was_gone or not self.oracle.exists:
            flips, too_much = self.oracle.take(
                list(handed.events) if handed.history else [], now, handed.merge, handed.round
            )
            refused += [each.id for each in too_much]
        for event in () if handed.history else handed.events:
            flips += self.oracle.apply(event, now)
            refused += [event.id] if self.oracle.refused else []
        if handed.seen:
            self.oracle.know(arrivals, now)
        assert refused == [handed.events[place].id for place, _ in result.refused]
        left_out = {*result.duplicates, *(place for place, _ in result.refused)}
        self.history += [each for place, each in enumerate(handed.events) if place not in left_out]
        derived: dict[int, list[Event]] = {}
        for place, each in result.derived:
            derived.setdefault(place, []).append(each)
        for place, each in enumerate(handed.events):
            self._keep([] if place in left_out else [each, *derived.get(place, ())])
        self._same(result.transitions, flips)
        return self._stored([])

    def carry_out(self) -> None:
        if self.profile is None or self.profile.taken is None or not self.profile.taken.waiting:
            return
        flips = self.oracle.recount(self.clock_ms)
        recounts = Recounts(self.plan)
        step = recounts.take_back(self.name, self.profile, self.past, {}, self.clock_ms)
        self.profile = step.profile
        self._same(step.transitions, flips)
        self._stored([])

    def go(self, oracle: Oracle) -> None:
        """It is erased; or let in again, as one never seen: `oracle` is."""
        if self.kept_out:
            self.kept_out = False
            return
        if self.profile is not None and not self.profile.gone:
            transitions = on_leave(self.plan, self.profile, Why(self.name, self.clock_ms, "erasure", None))
            assert {each.segment for each in transitions} == self.oracle.members()
        self.kept_out, self.profile, self.oracle = True, None, oracle
        self.history, self.past, self.accepted, self.sequences = [], [], [], {}
        self._comes_to(self.clock_ms)

    def tick(self, command: Tick) -> None:
        self._comes_to(max(self.clock_ms, self._resolved(command.when)))

    # -- inside

    def _stored(self, handed: list[Handed]) -> list[Handed]:
        """Every step is read back from what is stored, and so is what is handed over."""
        self.commit += 1
        if self.profile is not None:
            self.profile = decode(encode(self.profile))
            members = {
                segment for segment, each in self.profile.memberships.items() if each.entered_ms is not None
            }
            assert members == self.oracle.members(), f"core {members}, oracle {self.oracle.members()}"
        return [each for one in handed if isinstance(each := pack.decode(pack.encode(one)), Handed)]

    def _keep(self, events: Sequence[Event]) -> None:
        self.past += [(self.commit + 1, each) for each in events]

    def _resolved(self, when: When) -> int:
        if when.of in self.times:
            return self.times[when.of] + when.plus_ms
        wake = self.profile.wake_at if self.profile is not None and when.wake else None
        if wake is None or wake > self.clock_ms + AHEAD_MS:
            wake = self.clock_ms
        return wake + when.plus_ms

    def _comes_to(self, until: int) -> int:
        transitions: list[Transition] = []
        until = max(until, self.clock_ms)
        while self.profile is not None and (wake := self.profile.wake_at) is not None and wake <= until:
            step = on_clock(self.plan, self.name, self.profile, wake)
            self.profile = step.profile
            transitions += step.transitions
        self.clock_ms = until
        self._same(transitions, self.oracle.advance(until))
        return until

    def _same(self, transitions: list[Transition], flips: list[Flip]) -> None:
        told = [
            Flip(each.segment, each.kind, each.at_ms, each.cause, each.event_id, each.computed)
            for each in transitions
        ]
        core, oracle = (
            sorted(each, key=lambda flip: (flip.at_ms, flip.segment, flip.kind)) for each in (told, flips)
        )
        assert core == oracle, f"core {core}\noracle {oracle}"
        for each in transitions:
            assert each.sequence == self.sequences.get(each.segment, 0) + 1, "a gap"
            self.sequences[each.segment] = each.sequence
        self._keep([derived_from(each) for each in transitions])


class Family:
    def __init__(self, story: Story) -> None:
        self.story = story
        bounds = Bounds(**dict.fromkeys(Bounds.__struct_fields__, story.most)) if story.most else Bounds()
        limits = Limits(story.dedup_window_ms, story.dedup_max_ids, bounds)
        segments = [
            Segment(
                put.segment, 1, 1,
                None if put.definition is None else node(put.definition),
            )
            for put in [*story.segments, *COUNTED]
        ]  # fmt: skip
        plan = compile("w", story.zone, segments, 1, limits, contents=contents)
        start_ms = int(datetime.fromisoformat(story.start).timestamp() * 1_000)
        self.members: dict[str, Member] = {}
        self._bounds, self._segments = bounds, segments
        times: dict[str, int] = {}
        for name in MEMBERS:
            self.members[name] = Member(name, plan, self._oracle(name), start_ms, times)
        self.arrivals: dict[tuple[str, str], list[tuple[str, int]]] = {}
        self.merges = 0
        self.erased = False

    def _oracle(self, name: str) -> Oracle:
        story, most = self.story, msgspec.structs.asdict(self._bounds)
        oracle = Oracle(story.zone, story.dedup_window_ms, story.dedup_max_ids, most, name)
        roots = {each.id: each.definition and written_out(each.definition) for each in self._segments}
        oracle.define(roots)
        return oracle

    def run(self) -> None:
        for number, command in enumerate(self.story.commands):
            try:
                self.step(command)
            except AssertionError as error:
                error.add_note(f"at command {number}: {command}")
                raise
        while waiting := [each for each in self.members.values() if each.log]:
            self._take(waiting[0])
        for each in self.members.values():
            each.carry_out()
        if not self.erased:
            self._nothing_lost()

    def step(self, command: Command) -> None:
        match command:
            case To(profile, Happen() as happen):
                member = self.members[profile]
                self._send(member, member.happen(happen))
            case To(profile, Tick() as tick):
                self.members[profile].tick(tick)
            case Merge(old, into):
                self.merges += 1
                member = self.members[old]
                event = Event(f"m{self.merges}", "w", old, MERGE, member.clock_ms, {"into": into})
                sent = member.merge(event)
                self.arrivals[old, event.id] = member.oracle.arrivals
                self._send(member, sent)
            case Take(profile) if self.members[profile].log:
                self._take(self.members[profile])
            case Carry(profile):
                self.members[profile].carry_out()
            case Gone(profile):
                self.erased = True
                self.members[profile].go(self._oracle(profile))
            case Again(sender, count):
                for each in self.members[sender].sent[-count:]:
                    self.members[each.profile].log.append(each)

    def _send(self, member: Member, handed: list[Handed]) -> None:
        member.sent += handed
        for each in handed:
            self.members[each.profile].log.append(each)

    def _take(self, member: Member) -> None:
        handed = member.log.pop(0)
        self._send(member, member.take(handed, self.arrivals[handed.via[0]]))

    def _nothing_lost(self) -> None:
        """Every event that counted is with one profile that is there, unless another had it already."""
        there = [each for each in self.members.values() if each.profile is None or not each.profile.gone]
        assert all(each in there for each in self.members.values() if each.history)
        accepted = sorted(id_ for each in self.members.values() for id_ in each.accepted)
        assert there or not accepted, "all are gone"
        if self.story.most is None and len({*accepted}) == len(accepted):
            assert sorted(each.id for member in there for each in member.history) == accepted
