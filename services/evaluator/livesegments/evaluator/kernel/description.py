"""A plan described to the native kernel, in msgpack: what it asks, of which facts, and under which guards.

Example: "3 orders in 30 days" becomes a fact of the kind `["count", [false, 2592000000], 4]`, fed by events
named `order_placed`, and the program `["measure", fact, "gte", 3, null, [3]]` of its segment. A window of
months becomes `[true, 0]`: the kernel asks the first of `asked`, which is the core's calendar. It asks for
patterns, dates, distances and long value lists in the same way.

The kernel's modules `description` and `definition` read it. What the kernel can't do raises `Lacks`, and the
interpreted core serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw

from livesegments.core.bucket import hundredths
from livesegments.core.compiled import Compiled, Read
from livesegments.core.computed import gives
from livesegments.core.computed_value import numbers, shown
from livesegments.core.definition import (
    All,
    AnyOf,
    Attribute,
    Bucket,
    Computed,
    Consent,
    Event,
    Filter,
    Measure,
    Near,
    Node,
    Not,
    Occurrence,
    SegmentRef,
    Sequence,
    Tag,
)
from livesegments.core.exact import finite, stored
from livesegments.core.fact import EventLeaf, Fact, key_of
from livesegments.core.frame import Absolute, Frame, canonical, frame
from livesegments.core.measure import DATED, key_at
from livesegments.core.plan import Plan
from livesegments.core.profile import consent_key
from livesegments.core.reach import Guard
from livesegments.core.relative import date_span, span_of
from livesegments.core.track import Counted, Measured, Track, ValuedTrack, leaf_edges
from livesegments.core.value import Comparison, Values, near, test, when_missing
from livesegments.core.where import path_of
from livesegments.core.window import Shift, parse_date, parse_duration, plus
from livesegments.core.words import CLOCK_OPS, LIST_OPS, ORDER_OPS, POSITIVE, PRESENCE_OPS
from livesegments.evaluator.kernel.pieces import Name, Piece, Pieces

Json: TypeAlias = list[Any]
SHAPE = 11
"""Of the description; the number in the kernel (`lib`) must be the same: whoever changes one changes both."""
OPS = frozenset(("eq", "in", "contains", "starts_with", "ends_with", "has_any", "has_all", *ORDER_OPS))
"""Positive ops that the kernel tests by itself; the core is asked about all others."""
MAX_LISTED = 1_000
"""Longer value lists stay in the core, which all plans share them with, and are asked."""


_encode = msgspec.msgpack.Encoder().encode


class Lacks(Exception):
    """What a plan uses that the kernel can't do."""


class Description(NamedTuple):
    """`asked`: functions of the core that the data name by their numbers, by a name that equal ones share."""

    data: bytes
    asked: dict[Name, Callable[..., Any]]


class _Place(NamedTuple):
    """Where a fact is read; `step` says which later step of a sequence it is of, from 1, or 0."""

    leaf: EventLeaf
    zone: str
    segment: str
    step: int


def describe(plan: Plan, pieces: Pieces | None = None) -> Description:
    """`pieces` are of former plans of the workspace, and then of this one. Raises Lacks."""
    return _Describing(plan, pieces or Pieces()).description()


class _Describing:
    def __init__(self, plan: Plan, pieces: Pieces) -> None:
        self._plan = plan
        self._pieces = pieces
        self._positions: dict[str, int] = {}
        """Of the segments that the segment being described refers to."""

    def description(self) -> Description:
        plan, limits, pieces = self._plan, self._plan.limits, self._pieces
        pieces.renew()
        facts, segments = self._facts(), self._segments()
        pieces.keep(facts, segments)
        ordered = [
            segments[item.segment.id].data if plan.positions.get(item.segment.id) == at else None
            for at, item in enumerate(plan.order)
        ]
        whole = (
            plan.workspace, limits.dedup_window_ms, limits.dedup_max_ids,
            msgspec.structs.astuple(limits.bounds), [data for _, data in facts.values()], ordered,
            sorted(plan.born),
        )  # fmt: skip
        return Description(_encode(whole), pieces.asked)

    def _facts(self) -> dict[int, tuple[type, Raw]]:
        """A fact's id says all of it but whom its changes concern."""
        known, tracks = self._pieces.facts, self._plan.tracks
        missing = [
            id_ for id_, track in tracks.items() if id_ not in known or known[id_][0] is not type(track)
        ]
        if missing:
            places = dict(self._places())
            new = {id_: Raw(_encode(self._fact(tracks[id_], places[id_]))) for id_ in missing}
            known = known | {id_: (type(tracks[id_]), data) for id_, data in new.items()}
        return {id_: known[id_] for id_ in tracks}

    def _segments(self) -> dict[str, Piece]:
        plan, known, found = self._plan, self._pieces.segments, dict[str, Piece]()
        for id_, at in plan.positions.items():
            item, piece = plan.order[at], known.get(id_)
            if piece is None or piece.item is not item or not self._stand(piece.positions):
                self._positions = {}
                data = Raw(_encode(self._segment(item)))
                piece = Piece(item, self._positions, data)
            found[id_] = piece
        return found

    def _stand(self, positions: Mapping[str, int]) -> bool:
        now = self._plan.positions
        return all(now.get(id_, -1) == at for id_, at in positions.items())

    def _places(self) -> Iterator[tuple[int, _Place]]:
        plan = self._plan
        for zone, items in (
            (plan.staged_timezone, plan.staged.values()),
            (plan.timezone, [plan.order[at] for at in plan.positions.values()]),
        ):
            for item in items:
                for read in item.reads:
                    if read.fact is not None:
                        assert isinstance(read.leaf, EventLeaf)
                        place = _Place(read.leaf, zone, item.segment.id, 0)
                        yield read.fact.id, place
                        for step, trail in enumerate(read.fact.trails, 1):
                            yield trail.id, place._replace(step=step)

    # -- facts

    def _fact(self, track: Track, place: _Place) -> Json:
        leaf = place.leaf
        happening = leaf.steps[place.step] if isinstance(leaf, Sequence) else leaf
        concerned = (
            "counted"
            if isinstance(track, Counted)
            else "measured"
            if isinstance(track, Measured)
            else "valued"
            if isinstance(track, ValuedTrack)
            else "all"
        )
        filters = self._filters(happening.where, place.zone)
        if isinstance(leaf, Sequence) and leaf.same is not None:
            filters = self._any_step(leaf, place.zone)
        trails = [trail.id for trail in track.fact.trails]
        return [
            track.id, self._kind(place), list(track.fact.feed.names), filters, track.owner, concerned, trails,
        ]  # fmt: skip

    def _kind(self, place: _Place) -> Json:
        leaf, zone = place.leaf, ZoneInfo(place.zone)
        window = frame(leaf.window, zone)
        spanned = self._frame(window, leaf, zone)
        match leaf:
            case Event() | Computed():
                return self._measure(place, window, spanned)
            case Occurrence():
                return [
                    "occurrence",
                    spanned,
                    leaf.which == "last",
                    self._filters(leaf.has, place.zone),
                ]
        within, spans = parse_duration(leaf.within), [leaf.within]
        if leaf.window is not None:
            spans += [text for text in (leaf.window.last, leaf.window.skip) if text is not None]
        months = any(parse_duration(text).months for text in spans)
        duration = self._shift(plus(within, zone), within.ms, ("plus", within, place.zone))
        if leaf.same is not None:
            steps = [[step.called, self._filters(step.where, place.zone)] for step in leaf.steps]
            between = int(len(leaf.steps) > 2) if leaf.steps[-1].absent else None
            return ["same", spanned, duration, months, between, path_of(leaf.same), steps]
        if place.step:
            return ["trail", spanned, duration, months]
        if leaf.steps[-1].absent:
            return ["absent", spanned, duration, months, len(leaf.steps) > 2]
        return ["present", spanned, duration, months]

    def _any_step(self, leaf: Sequence, zone: str) -> Json:
        """The filter of what may match some step."""
        if not all(step.where for step in leaf.steps):
            return []
        return [[[self._filters(step.where, zone) for step in leaf.steps]]]

    def _measure(self, place: _Place, window: Frame, spanned: Json) -> Json:
        leaf = place.leaf
        assert isinstance(leaf, Event | Computed)
        of, depth = leaf.measure.of, key_of(leaf, place.zone, place.segment).depth
        if of == "count":
            if isinstance(window, Absolute):
                return ["count_ever", window.from_ms, window.to_ms]
            return ["count", spanned[2], depth] if window.enter is None else ["each", spanned, depth]
        if of in DATED:
            key = key_at(of, ZoneInfo(place.zone))
            return ["keys", spanned, depth, self._shift(key, 0, (of, place.zone))]
        path = path_of(leaf.measure.property or "")
        match of:
            case "min" | "max":
                return ["extreme", spanned, depth, [path, of == "max"]]
            case "first" | "last":
                return ["pick", spanned, depth, [path, of == "last"]]
            case "first_at" | "last_at":
                return ["moment", spanned, depth, of == "last_at"]
        return [of, spanned, depth, path]  # distinct, sum, avg, mode

    def _frame(self, window: Frame, leaf: EventLeaf, zone: ZoneInfo) -> Json:
        if isinstance(window, Absolute):
            return ["absolute", window.from_ms, window.to_ms]
        name = (*canonical(leaf.window, zone), zone.key)
        enter = None if window.enter is None else self._shift(window.enter, 0, ("enter", *name))
        return ["sliding", enter, self._shift(window.leave, window.fixed_ms, ("leave", *name))]

    def _shift(self, shift: Shift, fixed_ms: int, name: Name) -> Json:
        """`name` is the same for equal ones. `fixed_ms`: so far it goes from every instant; 0: it depends."""
        if fixed_ms:
            return [False, fixed_ms]
        return [True, self._ask(name, lambda: shift)]

    def _ask(self, name: Name, function: Callable[[], Callable[..., Any]]) -> int:
        """The number of a function of the core. `name` is the same for equal ones."""
        return self._pieces.number(name, function)

    # -- comparisons

    def _filters(self, where: tuple[Filter, ...], zone: str) -> Json:
        return [self._filter(item, zone) for item in where]

    def _filter(self, item: Filter, zone: str) -> Json:
        if item.inner:
            return [path_of(item.property), bool(item.item), self._filters(item.inner, zone)]
        return [path_of(item.property), self._question(item, zone)]

    def _question(self, comparison: Comparison, zone: str) -> Json:
        op, value = comparison.op, comparison.value
        if op in PRESENCE_OPS:
            return ["exists", None, op != "exists", False, None]
        without = when_missing(comparison)
        if op in CLOCK_OPS:
            name = "span", op, msgspec.json.encode(value), zone
            return [
                "clock",
                self._ask(name, lambda: span_of(op, value, ZoneInfo(zone))),
                False,
                without,
                None,
            ]
        positive, denied, caseless = POSITIVE.get(op, op), op in POSITIVE, comparison.ignore_case
        if positive in OPS and not (isinstance(value, Values) and len(value.items) > MAX_LISTED):
            operand = list(value.items) if isinstance(value, Values) else value
            folding = self._ask(("fold",), lambda: str.casefold) if caseless else None
            return [positive, _folded(operand) if caseless else operand, denied, without, folding]
        content = value.digest if isinstance(value, Values) else msgspec.json.encode(value)
        number = self._ask(
            ("test", positive, content, caseless, zone),
            lambda: test(Attribute("", positive, value, ignore_case=caseless), ZoneInfo(zone)),
        )
        return ["asked_whole" if positive in LIST_OPS else "asked", number, denied, without, None]

    # -- segments

    def _segment(self, item: Compiled) -> Json:
        segment = item.segment
        if item.root is None:
            program: Json = ["listed", segment.id, segment.definition_version]
        else:
            program = self._program(item.root, iter(item.reads))
        tells = [
            [id_, self._track(fact).id, self._telling(measure), gives(measure) == "date"]
            for id_, measure, fact in item.tells
        ]
        return [segment.id, segment.definition_version, program, tells]

    def _telling(self, measure: Measure) -> int:
        """The core's function that writes an amount."""
        if gives(measure) == "date":
            return self._ask(("shown date",), lambda: lambda t_ms: shown(measure, t_ms))
        return self._ask(("shown number",), lambda: lambda above, below: finite(Fraction(above, below)))

    def _program(self, node: Node, reads: Iterator[Read]) -> Json:
        """`reads` are the leaves in the order of the definition."""
        match node:
            case All() | AnyOf():
                children = [self._program(child, reads) for child in node.of]
                return ["all" if isinstance(node, All) else "any", children]
            case Not():
                return ["not", self._program(node.of, reads)]
        read = next(reads)
        assert read.leaf is node
        guard = _guard(read.guard)
        match node:
            case Attribute():
                return ["attribute", node.name, self._question(node, self._plan.timezone), guard]
            case Near():
                place = node.lat, node.lon, node.km
                number = self._ask(("near", *place), lambda: near(*place))
                return ["attribute", node.attribute, ["asked", number, False, False, None], guard]
            case Event():
                edges = sorted(leaf_edges(node)) if isinstance(self._track(read.fact), Counted) else []
                return ["measure", self._track(read.fact).id, node.op, node.value, guard, edges]
            case Occurrence() | Sequence():
                return ["happened", self._track(read.fact).id, guard]
            case Computed():
                return self._computed(node, self._track(read.fact), guard)
            case SegmentRef():
                at = self._positions[node.id] = self._plan.positions.get(node.id, -1)
                return ["member", node.id, at, guard]
            case Tag():
                return ["tag", node.name, guard]
            case Consent():
                return ["consent", consent_key(node.channel, node.topic), node.state, guard]
            case Bucket():
                return ["bucket", node.salt, hundredths(node.from_), hundredths(node.to)]
        raise Lacks(f"conditions of the type {node.__struct_config__.tag}")

    def _computed(self, node: Computed, track: Track, guard: list[int] | None) -> Json:
        if node.asked is None:
            return ["never"]
        condition = self._condition(node, node.asked)
        edges: list[int] = []
        if isinstance(track, Counted):
            edges = sorted(leaf_edges(node))
        elif condition[0] == "around":
            edges = [condition[1]]
        elif condition[0] == "value" and condition[1][0] == "clock":
            edges = [condition[1][1]]
        return ["computed", track.id, condition, guard, edges]

    def _condition(self, node: Computed, asked: Attribute) -> Json:
        given, zone = gives(node.measure), self._plan.timezone
        if given == "value":
            return ["value", self._question(asked, zone)]
        op, value, without = asked.op, asked.value, when_missing(asked)
        if op in PRESENCE_OPS:
            return ["exists", op == "exists"]
        if given == "date":
            if op in CLOCK_OPS:
                name = "date span", op, msgspec.json.encode(value), zone
                return ["around", self._ask(name, lambda: date_span(op, value, ZoneInfo(zone))), without]
            return ["dated", parse_date(value, ZoneInfo(zone)), op == "before", without]
        if POSITIVE.get(op, op) in ("eq", "in"):
            return ["among", numbers(asked, stored), op in POSITIVE, without]
        low, high = value if op == "between" else (value, value)
        return ["ordered", op, low, high, without]

    def _track(self, fact: Fact | None) -> Track:
        assert fact is not None, "its leaf reads one"
        return self._plan.tracks[fact.id]


def _guard(guard: Guard | None) -> list[int] | None:
    return None if guard is None else sorted(guard.facts)


def _folded(operand: Any) -> Any:
    if isinstance(operand, list | tuple):
        return [_folded(each) for each in operand]
    return operand.casefold() if isinstance(operand, str) else operand
