"""Leaves that one pass over all events answers for every profile: rows are grouped once for all of them.

Example: "two orders in 30 days" is `count(*) FILTER (name = 'order' AND t > …)` of a profile's rows, beside
whatever other leaves count there. "A cart, then no order within an hour" needs the times of both, as lists.

- A leaf that reads no properties is counted in the relation `profiles`, which looks at every event anyhow.
- One that does has a pass of its own over the events of its names: JSON is the dearest part of a row.
- What a pass can't say exactly of a profile (`odd`) is asked of these profiles in the longer way (`exact`).
- Where what every profile did is kept as lists (`relations.Lane`), a column is worked out of these: nothing
  is grouped then, and nothing joined.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from livesegments.core.definition import Event, Node, Occurrence, Sequence, SequenceStep, Window
from livesegments.history.sql import number, path, window
from livesegments.history.sql.evidence import Evidence, conditions, measure, of_nothing
from livesegments.history.sql.relations import Lane
from livesegments.history.sql.sequence import sequence
from livesegments.history.sql.text import every, some, text, truth

MOST_PAIRS = 10_000
"""First steps × events that may spoil them, in lists; of more, a profile is asked in the longer way."""


class Listed(Struct, frozen=True):
    """The same as a column of a tally, worked out of lanes.

    how    count, min and max (of instants), list (of instants; NULL where there are none), or, of one item,
           sum and any
    which  of the expression of an event's instant: whether it counts
    """

    name: str
    how: str
    lanes: tuple[Lane, ...]
    which: Callable[[str], str]
    item: str = "t"

    def counting(self) -> str:
        """What counts, as an expression over lanes: of an item NULL in place of what doesn't."""
        source = self.lanes[0].column
        for lane in self.lanes[1:]:
            source = f"list_concat({source}, {lane.column})"
        if self.lanes[0].items:
            return f"list_transform({source}, lambda e: CASE WHEN {self.which('e.t')} THEN e.{self.item} END)"
        condition = self.which("e")
        return source if condition == "TRUE" else f"list_filter({source}, lambda e: {condition})"

    def expression(self, found: str) -> str:
        """The column, over such a list."""
        return {
            "count": f"coalesce(len({found}), 0)",
            "list": f"CASE WHEN len({found}) > 0 THEN {found} END",
            "min": f"list_min({found})",
            "max": f"list_max({found})",
            "sum": f"list_sum({found})",
            "any": f"coalesce(list_contains({found}, TRUE), FALSE)",
        }[self.how]


class Tally(Struct, frozen=True):
    """`columns`: (name, aggregate, which rows); all names begin with `prefix`, which no other tally has.

    listed    the same columns, worked out of lanes
    then      columns more, over these: (name, expression)
    own       rows are read for it alone, with these columns more: (name, expression)
    holds     over `columns`, never NULL; so is `odd`, whether only `exact` can say
    measured  over `columns`, and `told`, over the column {0} of that, as JSON text
    """

    prefix: str
    names: tuple[str, ...]
    columns: tuple[tuple[str, str, str], ...]
    listed: tuple[Listed, ...]
    holds: str
    measured: str = "NULL"
    told: str = "{0}"
    own: tuple[tuple[str, str], ...] | None = None
    then: tuple[tuple[str, str], ...] = ()
    odd: str | None = None
    exact: Callable[[str], Evidence] | None = None

    @property
    def lanes(self) -> frozenset[Lane]:
        return frozenset(lane for each in self.listed for lane in each.lanes)

    def query(self) -> str:
        """Of a tally with rows of its own: (profile, columns)."""
        assert self.own is not None
        more = "".join(f", {what} AS {name}" for name, what in self.own)
        rows = f"(SELECT *{more} FROM standing WHERE {self._rows()})"
        return (
            f"SELECT *{then([self])} FROM (SELECT profile, {aggregates([self])} FROM {rows} GROUP BY profile)"
        )

    def _rows(self) -> str:
        return every([named(self.names), some(sorted({which for _, _, which in self.columns}))])


def aggregates(tallies: list[Tally]) -> str:
    columns = (column for each in tallies for column in each.columns)
    return ", ".join(f"{what} FILTER ({which}) AS {name}" for name, what, which in columns)


def then(tallies: list[Tally]) -> str:
    return "".join(f", {what} AS {name}" for each in tallies for name, what in each.then)


def named(names: tuple[str, ...]) -> str:
    return f"name IN ({', '.join(map(text, sorted(set(names))))})"


def tally(node: Node, now_ms: int, segment: str | None, prefix: str) -> Tally | None:
    """None for a leaf that has to be asked for by itself."""
    match node:
        case Event(called=called, measure=how) if not _derived(called):
            which = _which(node, segment, window.counts(node.window, "t", now_ms))
            if how.of == "count":
                return _count(node, which, prefix, now_ms)
            if how.of == "sum" and how.property is not None:
                return _sum(node, which, prefix, how.property, now_ms, segment)
        case Occurrence(has=()) if not _derived(node.called):
            return _occurrence(node, _which(node, segment), prefix, now_ms)
        case Sequence(steps=(first, away), same=None) if away.absent and not _derived(
            first.called + away.called
        ):
            return _pair(node, prefix, now_ms, segment)
    return None


def _derived(names: tuple[str, ...]) -> bool:
    return any(name.startswith("$") for name in names)


def _lanes(
    step: Event | Occurrence | SequenceStep,
    looked: tuple[tuple[str, str], ...] = (),
    items: tuple[tuple[str, str], ...] = (),
) -> tuple[Lane, ...]:
    where = path.passes(step.where) if step.where else "TRUE"
    return tuple(Lane(name, where, looked, items) for name in sorted(set(step.called)))


def _within(of: Window | None, now_ms: int) -> Callable[[str], str]:
    return lambda at: window.counts(of, at, now_ms)


def _which(step: Event | Occurrence, segment: str | None, also: str = "TRUE") -> str:
    return every(conditions(step, segment, also=also))


def _own(*filtered: object) -> tuple[tuple[str, str], ...] | None:
    return () if any(filtered) else None


def _count(leaf: Event, which: str, prefix: str, now_ms: int) -> Tally:
    counted = f"coalesce({prefix}n, 0)"
    return Tally(
        prefix=prefix,
        names=leaf.called,
        columns=((f"{prefix}n", "count(*)", which),),
        listed=(Listed(f"{prefix}n", "count", _lanes(leaf), _within(leaf.window, now_ms)),),
        holds=number.whole(counted, leaf.op, leaf.value),
        measured=counted,
        told="CAST({0} AS VARCHAR)",
        own=_own(leaf.where),
    )


def _sum(leaf: Event, which: str, prefix: str, of: str, now_ms: int, segment: str | None) -> Tally:
    """Numbers that are where the path says, in decimals; lists on the path, and other numbers, are odd."""
    written = "written"
    first = f"ascii({written})"
    is_number = f"{first} BETWEEN {ord('-')} AND {ord('9')}"
    no_scalar = f"{written} IS NULL OR {first} IN ({ord('[')}, {ord('{')}, {ord('n')})"
    odd = f"CASE WHEN {is_number} THEN NOT ls_narrow({written}) ELSE ({no_scalar}) AND {path.HAS_LISTS} END"
    exact = f"CASE WHEN {is_number} AND ls_narrow({written}) THEN CAST({written} AS {number.NARROW}) END"
    total, strange = f"{prefix}s", f"{prefix}o"
    looked = ((written, f"CAST({path.lookup(of)} AS VARCHAR)"),)
    lanes = _lanes(leaf, looked, (("number", exact), ("odd", odd)))
    counts = _within(leaf.window, now_ms)
    holds = number.whole(total, leaf.op, leaf.value, number.SCALE)
    return Tally(
        prefix=prefix,
        names=leaf.called,
        columns=((total, f"sum({exact})", which), (strange, f"bool_or({odd})", which)),
        listed=(
            Listed(total, "sum", lanes, counts, "number"),
            Listed(strange, "any", lanes, counts, "odd"),
        ),
        holds=f"coalesce({holds}, {truth(of_nothing(leaf.op, leaf.value))})",
        measured=total,
        told="coalesce(rtrim(rtrim(CAST({0} AS VARCHAR), '0'), '.'), '0')",
        own=looked,
        odd=f"coalesce({strange}, FALSE)",
        exact=lambda among: measure(leaf, now_ms, segment, among),
    )


def _occurrence(leaf: Occurrence, which: str, prefix: str, now_ms: int) -> Tally:
    at = f"{prefix}t"
    chosen = "min" if leaf.which == "first" else "max"
    return Tally(
        prefix=prefix,
        names=leaf.called,
        columns=((at, f"{chosen}(t)", which),),
        listed=(Listed(at, chosen, _lanes(leaf), lambda _: "TRUE"),),
        holds=f"{at} IS NOT NULL AND coalesce({window.counts(leaf.window, at, now_ms)}, FALSE)",
        own=_own(leaf.where),
    )


def _pair(leaf: Sequence, prefix: str, now_ms: int, segment: str | None) -> Tally:
    """One step, then none of another. Where both are at one instant ids decide, which are not read here."""
    step, away = leaf.steps
    begun, spoilers, last, near = (f"{prefix}{each}" for each in "baln")

    def open_(at: str) -> str:
        return every([window.counts(leaf.window, at, now_ms), f"{window.later(at, leaf.within)} <= {now_ms}"])

    spoils = f"a > b AND a <= {window.later('b', leaf.within)}"
    spoils_last = f"a >= {last} AND a <= {window.later(last, leaf.within)}"
    many = f"len({begun}) * len({spoilers}) > {MOST_PAIRS}"
    odd = f"CASE WHEN {near} THEN {many} OR list_has_any({begun}, {spoilers}) ELSE FALSE END"
    unspoilt = f"list_filter({begun}, lambda b: len(list_filter({spoilers}, lambda a: {spoils})) = 0)"
    return Tally(
        prefix=prefix,
        names=(*step.called, *away.called),
        columns=(
            (begun, "list(t)", every(conditions(step, segment, also=open_("t")))),
            (last, "max(t)", every(conditions(step, segment, also=open_("t")))),
            (spoilers, "list(t)", every(conditions(away, segment))),
        ),
        listed=(
            Listed(begun, "list", _lanes(step), open_),
            Listed(last, "max", _lanes(step), open_),
            Listed(spoilers, "list", _lanes(away), lambda _: "TRUE"),
        ),
        # most are decided by the last that began alone
        then=((near, f"coalesce(len(list_filter({spoilers}, lambda a: {spoils_last})) > 0, FALSE)"),),
        holds=f"""CASE WHEN {begun} IS NULL THEN FALSE WHEN NOT {near} THEN TRUE
    WHEN {many} THEN FALSE ELSE len({unspoilt}) > 0 END""",
        own=_own(step.where, away.where),
        odd=odd,
        exact=lambda among: sequence(leaf, now_ms, segment, among),
    )
