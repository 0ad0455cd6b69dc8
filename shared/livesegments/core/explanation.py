"""Why a profile is in a segment or not: its definition, node by node, with the values that decided.

Example: of `all` of "city is Kyiv" and "at least 5 orders in 30 days", for somebody with three:

    ✗ all                  ""
      ✓ city is Kyiv       "/of/0"   value "Kyiv", since 1 May, by event e1
      ✗ 5 orders in 30 d   "/of/1"   value 3

It is read from the stored profile, under the plan that is served, which is the state that decided. A node's
truth is that of the program that judges memberships, compiled for that node alone.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from livesegments.core import bucket
from livesegments.core.absent import Awaited
from livesegments.core.chain import Begun
from livesegments.core.compiled import Compiled
from livesegments.core.computed_value import clock, edges_of, shown
from livesegments.core.definition import (
    All,
    AnyOf,
    Attribute,
    Bucket,
    Computed,
    Consent,
    Event,
    Near,
    Node,
    Not,
    Occurrence,
    SegmentRef,
    Sequence,
    Tag,
)
from livesegments.core.entries import listed
from livesegments.core.explain import next_flips
from livesegments.core.fact import EventLeaf, Fact, edges, key_of
from livesegments.core.kind import MAX_COUNT, held
from livesegments.core.measure import read
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile, Register, Stamp, consent_key, decode, encode
from livesegments.core.program import of_profile
from livesegments.core.same import Same
from livesegments.core.smallest import Smallest
from livesegments.core.trail import Stamps, earliest_after
from livesegments.core.whatif import Change, is_in
from livesegments.core.words import WHOLE


class Evidence(Struct, frozen=True, omit_defaults=True):
    """What a condition was decided by.

    value      the attribute's value; the measure's amount, None where it is undefined; the percentage at
               which the profile lies, of a bucket; the state of the consent; whether the profile has the tag,
               is on the list, or in the segment
    or_more    no more of them are kept than conditions ask about: there may be more than `value`
    at_ms      when that came: the attribute, tag or consent; the occurrence; the membership of the segment;
               the first event of the sequence that is furthest on
    event_id   the event that brought it
    steps      how many steps of a sequence have come, in order and in time
    same       of a sequence whose steps share a value: that by which it holds, or which had an event last
    moves_ms   the next instant at which the clock alone may change it
    """

    value: Any = None
    or_more: bool = False
    at_ms: int | None = None
    event_id: str | None = None
    steps: int | None = None
    same: Any = None
    moves_ms: int | None = None


class Explained(Struct, frozen=True):
    """One node. `pointer` is a JSON pointer into the definition; `type` is the node's, or `list` of a static
    segment. A condition has `condition` and `evidence`; `all`, `any` and `not` have `of`."""

    pointer: str
    type: str
    holds: bool
    condition: Node | None = None
    evidence: Evidence | None = None
    of: tuple[Explained, ...] = ()


class Explanation(Struct, frozen=True):
    """`is_in` since `entered_ms`, at the instant `at_ms`, by version `version` of the definition.

    flips_ms   when the clock alone will flip it; None if never, as things are
    change     the smallest single change that would flip it; None if there is none
    until_ms   from when on that change would not flip it any more, or need not
    """

    is_in: bool
    entered_ms: int | None
    at_ms: int
    version: int
    root: Explained
    flips_ms: int | None
    change: Change | None
    until_ms: int | None


def explain(plan: Plan, profile_id: str, profile: Profile, segment: str, now_ms: int) -> Explanation:
    """Of a segment of the plan, under which the profile was last stepped. The profile is left as it is.

    All dues ≤ now_ms must have fired.
    """
    assert profile.plan == plan.revision
    profile = decode(encode(profile))
    compiled = plan.order[plan.positions[segment]]
    membership = profile.memberships.get(segment)
    search = Smallest(plan, profile_id, profile, segment, now_ms)
    change = search.change()
    return Explanation(
        is_in=is_in(profile, segment),
        entered_ms=membership.entered_ms if membership else None,
        at_ms=now_ms,
        version=compiled.segment.definition_version,
        root=_Reading(plan, compiled, profile_id, profile, now_ms).root(),
        flips_ms=next_flips(plan, profile_id, profile, (segment,)).get(segment),
        change=change,
        until_ms=search.until_ms(change) if change is not None else None,
    )


class _Reading:
    """What one profile has for the nodes of one segment."""

    def __init__(
        self, plan: Plan, compiled: Compiled, profile_id: str, profile: Profile, now_ms: int
    ) -> None:
        self._compiled, self._profile, self._now = compiled, profile, now_ms
        self._profile_id = profile_id
        self._timezone, self._zone = plan.timezone, ZoneInfo(plan.timezone)
        self._facts = {id(read.leaf): read.fact for read in compiled.reads}

    def root(self) -> Explained:
        segment = self._compiled.segment
        if self._compiled.root is not None:
            return self._explained(self._compiled.root, "")
        listed = self._profile.lists.get(segment.id)
        if listed is not None and listed.version != segment.definition_version:
            listed = None
        holds = self._compiled.program(self._profile, self._now)
        return Explained("", "list", holds, evidence=_written(listed, holds))

    def _explained(self, node: Node, pointer: str) -> Explained:
        holds = of_profile(node, self._zone, self._fact, self._profile_id)(self._profile, self._now)
        match node:
            case All() | AnyOf():
                of = [self._explained(child, f"{pointer}/of/{at}") for at, child in enumerate(node.of)]
                return Explained(pointer, "all" if isinstance(node, All) else "any", holds, of=tuple(of))
            case Not():
                return Explained(pointer, "not", holds, of=(self._explained(node.of, f"{pointer}/of"),))
        type_ = "attribute" if isinstance(node, Computed) else node.__struct_config__.tag
        assert type(type_) is str
        return Explained(pointer, type_, holds, node, self._evidence(node, holds))

    def _fact(self, leaf: EventLeaf) -> Fact:
        fact = self._facts[id(leaf)]
        assert fact is not None
        return fact

    def _evidence(self, node: Node, holds: bool) -> Evidence:
        profile = self._profile
        match node:
            case Attribute() | Near():
                register = profile.attributes.get(
                    node.name if isinstance(node, Attribute) else node.attribute
                )
                return _written(register, None)
            case Tag() if node.name is None:
                there = [register for register in profile.tags.values() if register.value is True]
                latest = max(there, key=lambda each: (each.time_ms, each.event_id), default=None)
                return _written(latest, False)
            case Tag(name=str() as name):
                return _written(profile.tags.get(name), False)
            case Consent():
                return _written(profile.consent.get(consent_key(node.channel, node.topic)), "none")
            case Bucket():
                return Evidence(bucket.number(node.salt, self._profile_id) / 100)
            case SegmentRef():
                membership = profile.memberships.get(node.id)
                return Evidence(holds, at_ms=membership.entered_ms if membership else None)
            case Event():
                return self._measured(node)
            case Computed():
                return self._computed(node)
            case Occurrence():
                state = self._state(node)
                moves = self._fact(node).kind.next_ms(state, self._now, ())
                return (
                    Evidence(holds, at_ms=state[0], event_id=state[1], moves_ms=moves)
                    if state
                    else Evidence()
                )
            case Sequence():
                return self._followed(node, holds)
        raise AssertionError(f"{node} is no condition")

    def _state(self, leaf: EventLeaf) -> Any:
        fact = self._fact(leaf)
        return held(self._profile.facts, fact.id, fact.kind)

    def _measured(self, node: Event) -> Evidence:
        kind, state = self._fact(node).kind, self._state(node)
        amount = kind.value(state, self._now)
        whole = node.measure.of in WHOLE
        depth = key_of(node, self._timezone, self._compiled.segment.id).depth
        return Evidence(
            _number(amount),
            or_more=whole and 0 < depth <= amount,
            moves_ms=kind.next_ms(state, self._now, edges(node.op, node.value) if whole else ()),
        )

    def _computed(self, node: Computed) -> Evidence:
        fact, state = self._fact(node), self._state(node)
        value = fact.kind.value(state, self._now)
        around = clock(node, self._zone)
        moves = fact.kind.next_ms(state, self._now, edges_of(node, value, around))
        more = node.measure.of in WHOLE and value > MAX_COUNT
        return Evidence(shown(node.measure, value), or_more=more, moves_ms=moves)

    def _followed(self, node: Sequence, holds: bool) -> Evidence:
        fact = self._fact(node)
        state = self._state(node)
        moves = fact.kind.next_ms(state, self._now, ())
        if isinstance(fact.kind, Same):
            found = fact.kind.decisive(state)
            if found is None:
                return Evidence(holds, steps=len(node.steps) if holds else 0, moves_ms=moves)
            value, part = found
            told = _chained(node, part.chain, part.trails, holds, moves)
            return replace(told, same=read(value))
        trails = [held(self._profile.facts, trail.id, trail.kind) or [] for trail in fact.trails]
        return _chained(node, state, trails, holds, moves)


def _chained(
    node: Sequence, state: Begun | Awaited | None, trails: list[Stamps], holds: bool, moves: int | None
) -> Evidence:
    if node.steps[-1].absent:
        trails = trails[:-1]
    if isinstance(state, Awaited) and holds and state.best is not None:
        at_ms, id_ = state.best
        return Evidence(holds, at_ms=at_ms, event_id=id_, steps=len(trails) + 1, moves_ms=moves)
    if state is None or holds:
        return Evidence(holds, steps=len(node.steps) if holds else 0, moves_ms=moves)
    first, steps = _furthest(_firsts(state), [listed(trail) for trail in trails])
    if first is None:
        return Evidence(holds, steps=steps, moves_ms=moves)
    return Evidence(holds, at_ms=first[0], event_id=first[1], steps=steps, moves_ms=moves)


def _firsts(state: Begun | Awaited) -> Stamps:
    return state.firsts if isinstance(state, Begun) else [(time_ms, id_) for _, time_ms, id_ in state.open]


def _furthest(firsts: Stamps, trails: list[list[Stamp]]) -> tuple[Stamp | None, int]:
    """The newest of the first events after which most steps have come, and how many, itself included."""
    best: tuple[Stamp | None, int] = (None, 0)
    for first in firsts:
        steps, at = 1, first
        for trail in trails:
            following = earliest_after(at, [trail])
            if following is None:
                break
            steps, at = steps + 1, following
        if steps >= best[1]:
            best = first, steps
    return best


def _written(register: Register | None, without: Any) -> Evidence:
    if register is None:
        return Evidence(without)
    value = without if register.value is None else register.value
    return Evidence(value, at_ms=register.time_ms, event_id=register.event_id)


def _number(amount: Any) -> int | float | None:
    """An exact amount as a number of JSON: the nearest, where none is equal."""
    if amount is None or type(amount) is int:
        return amount
    if isinstance(amount, Fraction) and amount.denominator == 1:
        return int(amount)
    return float(amount)
