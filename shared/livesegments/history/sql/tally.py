"""Leaves that one pass over all events answers for every profile: rows are grouped once for all of them.

Example: "two orders in 30 days" is `count(*) FILTER (name = 'order' AND t > …)` of a profile's rows, beside
whatever other leaves count there. "A cart, then no order within an hour" needs the times of both, as lists.

- A leaf that reads no properties is counted in the relation `profiles`, which looks at every event anyhow.
- One that does has a pass of its own over the events of its names: JSON is the dearest part of a row.
- What a pass can't say exactly of a profile (`odd`) is asked of these profiles in the longer way (`exact`).
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from livesegments.core.definition import Event, Node, Occurrence, Sequence
from livesegments.history.sql import number, path, window
from livesegments.history.sql.evidence import Evidence, conditions, measure, of_nothing
from livesegments.history.sql.sequence import sequence
from livesegments.history.sql.text import every, some, text, truth

MOST_PAIRS = 10_000
"""First steps × events that may spoil them, in lists; of more, a profile is asked in the longer way."""


class Tally(Struct, frozen=True):
    """`columns`: (name, aggregate, which rows); all names begin with one prefix that no other tally has.

    own       rows are read for it alone, with these columns more: (name, expression)
    holds     over `columns`, never NULL; so is `odd`, whether only `exact` can say
    measured  over `columns`, and `told`, over the column {0} of that, as JSON text
    """

    names: tuple[str, ...]
    columns: tuple[tuple[str, str, str], ...]
    holds: str
    measured: str = "NULL"
    told: str = "{0}"
    own: tuple[tuple[str, str], ...] | None = None
    odd: str | None = None
    exact: Callable[[str], Evidence] | None = None

    def query(self) -> str:
        """Of a tally with rows of its own: (profile, columns)."""
        assert self.own is not None
        more = "".join(f", {what} AS {name}" for name, what in self.own)
        rows = f"(SELECT *{more} FROM standing WHERE {self._rows()})"
        return f"SELECT profile, {aggregates([self])} FROM {rows} GROUP BY profile"

    def _rows(self) -> str:
        return every([named(self.names), some(sorted({which for _, _, which in self.columns}))])


def aggregates(tallies: list[Tally]) -> str:
    columns = (column for each in tallies for column in each.columns)
    return ", ".join(f"{what} FILTER ({which}) AS {name}" for name, what, which in columns)


def named(names: tuple[str, ...]) -> str:
    return f"name IN ({', '.join(map(text, sorted(set(names))))})"


def tally(node: Node, now_ms: int, segment: str | None, prefix: str) -> Tally | None:
    """None for a leaf that has to be asked for by itself."""
    match node:
        case Event(called=called, measure=how) if not _derived(called):
            which = _which(node, segment, window.counts(node.window, "t", now_ms))
            if how.of == "count":
                return _count(node, which, prefix)
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


def _which(step: Event | Occurrence, segment: str | None, also: str = "TRUE") -> str:
    return every(conditions(step, segment, also=also))


def _own(*filtered: object) -> tuple[tuple[str, str], ...] | None:
    return () if any(filtered) else None


def _count(leaf: Event, which: str, prefix: str) -> Tally:
    counted = f"coalesce({prefix}n, 0)"
    return Tally(
        names=leaf.called,
        columns=((f"{prefix}n", "count(*)", which),),
        holds=number.whole(counted, leaf.op, leaf.value),
        measured=counted,
        told="CAST({0} AS VARCHAR)",
        own=_own(leaf.where),
    )


def _sum(leaf: Event, which: str, prefix: str, of: str, now_ms: int, segment: str | None) -> Tally:
    """Numbers that are where the path says, in decimals; lists on the path, and other numbers, are odd."""
    written = f"{prefix}w"
    first = f"ascii({written})"
    is_number = f"{first} BETWEEN {ord('-')} AND {ord('9')}"
    no_scalar = f"{written} IS NULL OR {first} IN ({ord('[')}, {ord('{')}, {ord('n')})"
    odd = f"CASE WHEN {is_number} THEN NOT ls_narrow({written}) ELSE ({no_scalar}) AND {path.HAS_LISTS} END"
    exact = f"CASE WHEN {is_number} AND ls_narrow({written}) THEN CAST({written} AS {number.NARROW}) END"
    total = f"{prefix}s"
    holds = number.whole(total, leaf.op, leaf.value, number.SCALE)
    return Tally(
        names=leaf.called,
        columns=((total, f"sum({exact})", which), (f"{prefix}o", f"bool_or({odd})", which)),
        holds=f"coalesce({holds}, {truth(of_nothing(leaf.op, leaf.value))})",
        measured=total,
        told="coalesce(rtrim(rtrim(CAST({0} AS VARCHAR), '0'), '.'), '0')",
        own=((written, f"CAST({path.lookup(of)} AS VARCHAR)"),),
        odd=f"coalesce({prefix}o, FALSE)",
        exact=lambda among: measure(leaf, now_ms, segment, among),
    )


def _occurrence(leaf: Occurrence, which: str, prefix: str, now_ms: int) -> Tally:
    at = f"{prefix}t"
    chosen = "min" if leaf.which == "first" else "max"
    return Tally(
        names=leaf.called,
        columns=((at, f"{chosen}(t)", which),),
        holds=f"{at} IS NOT NULL AND coalesce({window.counts(leaf.window, at, now_ms)}, FALSE)",
        own=_own(leaf.where),
    )


def _pair(leaf: Sequence, prefix: str, now_ms: int, segment: str | None) -> Tally:
    """One step, then none of another. Where both are at one instant ids decide, which are not read here."""
    step, away = leaf.steps
    begun, spoilers = f"{prefix}b", f"{prefix}a"
    open_ = every([window.counts(leaf.window, "t", now_ms), f"{window.later('t', leaf.within)} <= {now_ms}"])
    spoils = f"a > b AND a <= {window.later('b', leaf.within)}"
    both = f"{begun} IS NOT NULL AND {spoilers} IS NOT NULL"
    many = f"len({begun}) * len({spoilers}) > {MOST_PAIRS}"
    odd = f"CASE WHEN {both} THEN {many} OR list_has_any({begun}, {spoilers}) ELSE FALSE END"
    unspoilt = f"list_filter({begun}, lambda b: len(list_filter({spoilers}, lambda a: {spoils})) = 0)"
    return Tally(
        names=(*step.called, *away.called),
        columns=(
            (begun, "list(t)", every(conditions(step, segment, also=open_))),
            (spoilers, "list(t)", every(conditions(away, segment))),
        ),
        holds=f"""CASE WHEN {begun} IS NULL THEN FALSE
    WHEN {spoilers} IS NULL OR list_max({spoilers}) < list_max({begun}) THEN TRUE
    WHEN {many} THEN FALSE ELSE len({unspoilt}) > 0 END""",
        own=_own(step.where, away.where),
        odd=odd,
        exact=lambda among: sequence(leaf, now_ms, segment, among),
    )
