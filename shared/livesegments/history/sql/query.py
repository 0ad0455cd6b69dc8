"""A definition as one SQL query: every profile with the truth of every node at an instant.

Example: the nodes of `{"type": "not", "of": {"type": "tag", "name": "vip"}}` are n0, the `not`, and n1, the
tag; the query gives (profile, n0, n1) for whoever had an event by then.

It reads one relation, `happened`: what the workspace's profiles had sent by the instant, with the events
derived from it and from transitions, as the columns profile, name, t (ms), id, properties (JSON), commit and
place. Other segments that are referred to are queries in the same WITH.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from msgspec import Struct

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
from livesegments.core.tree import walk
from livesegments.history.sql import large, value
from livesegments.history.sql.bucket import bucket
from livesegments.history.sql.computed import computed
from livesegments.history.sql.evidence import Evidence, measure, occurrence
from livesegments.history.sql.near import near
from livesegments.history.sql.registers import ANY_TAG, Registers
from livesegments.history.sql.relations import GROUPED, PEOPLE, of_few
from livesegments.history.sql.sequence import sequence
from livesegments.history.sql.standing import VIEWS, picked, standing
from livesegments.history.sql.tally import Tally, aggregates, named, tally, then
from livesegments.history.sql.text import every, some, text, truth


class Question(Struct, frozen=True):
    """What is asked, and what has to be known for it.

    segments   the workspace's: id → definition, or the version of a static one
    segment    the id of the one asked about, for it doesn't see its own transitions; None: it has none yet
    retracted  whether any event was taken back: where none was, ids needn't be read
    numbered   whether profiles are numbers, as in `numbered`
    values     whether values are wanted, too
    few        of these profiles alone, where they are numbers
    odd        whether those are asked in the longer way of whom one pass can't say it; where profiles are
               numbers it may be left out, and the column `odd` says who they are
    """

    definition: Node
    segments: Mapping[str, Node | int]
    now_ms: int
    segment: str | None = None
    retracted: bool = True
    numbered: bool = False
    values: bool = True
    few: tuple[int, ...] = ()
    odd: bool = True


class Answer(Struct, frozen=True):
    """`sql` gives the columns profile, n0, v0, n1, v1, …: of `nodes`, in order, the truth, and the value that
    was compared (of an attribute, or what a measure came to; else NULL), which `told` makes JSON text; and of
    an attribute's node l0, …: whether it is lacking.

    `before` are statements that have to be executed first.
    """

    sql: str
    nodes: tuple[tuple[str, Node], ...]
    """JSON pointer of a node within the definition, and the node."""
    told: tuple[str, ...]
    """Of every node, an expression over the columns: a million numbers as text take a tenth of the time."""
    before: tuple[str, ...] = ()


def translate(question: Question) -> Answer:
    build = _Build(question)
    final = build.select(question.definition, question.segment)
    relations = [("profiles", build.profiles()), *build.registers.relations(), *build.relations]
    listed = ", ".join(
        [
            *picked(question.few),
            *standing(question.retracted),
            *(f"{name} AS MATERIALIZED ({query})" for name, query in relations),
        ]
    )
    roots = [each for each in question.segments.values() if not isinstance(each, int)]
    before = large.variables((question.definition, *roots))
    nodes = tuple(walk(question.definition))
    told = (
        build.told[question.segment, at].format(f"v{index}", f"w{index}")
        for index, (at, _) in enumerate(nodes)
    )
    views = [] if question.retracted else VIEWS
    return Answer(f"WITH {listed} {final}", nodes, tuple(told), (*views, *before))


class _Column(Struct, frozen=True):
    """Of a node: whether it holds, the value that was compared, and how that becomes text, over the columns
    {0} (the value) and {1} (`other`: the value as text where it was asked for in the longer way)."""

    holds: str
    value: str = "NULL"
    told: str = "{0}"
    other: str | None = None
    plain: tuple[str, str] | None = None
    """Whether it holds, and the value, of profiles that are not odd."""


class _Build:
    """`told`: of (segment, JSON pointer) the expression of the value as text."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.registers = Registers()
        self.relations: list[tuple[str, str]] = []
        self.told: dict[tuple[str | None, str], str] = {}
        self._tallies: list[Tally] = []
        self._numbers = count()
        self._segments: dict[str, str] = {}
        self._odd: list[tuple[str, str]] = []  # of the select that is built: who is odd, and what says more

    def select(self, root: Node, segment: str | None) -> str:
        """The query of (profile, n0, n1, …) of a definition; what it needs is put before it."""
        nodes = dict(walk(root))
        names = {at: f"n{index}" for index, at in enumerate(nodes)}
        joined: list[str] = []
        outer, self._odd = self._odd, []
        columns, plain = list[str](), list[str]()
        for at, node in reversed(nodes.items()):  # children first, so that parents can name them
            column, number_ = self._column(node, at, names, segment, joined), names[at][1:]
            other = None if column.other is None else "NULL"
            holds, value_ = column.plain or (column.holds, column.value)
            plain += self._told(node, number_, holds, value_, other)
            columns += self._told(node, number_, column.holds, column.value, column.other)
            self.told[segment, at] = column.told
        odd, apart = some([strange for strange, _ in self._odd]), {leaf for _, leaf in self._odd}
        self._odd = outer
        registers = [name for name, _ in self.registers.relations()]
        joins = "".join(f" LEFT JOIN {name} USING (profile)" for name in [*registers, *joined])
        every_ = f"SELECT profile, {', '.join(columns)} FROM profiles"
        if self.question.numbered and not self.question.odd:
            return f"SELECT profile, {', '.join(plain)}, odd FROM profiles{joins}"
        if odd == "FALSE":
            return every_ + joins
        # a million profiles needn't be joined with what is asked of few of them
        most = "".join(
            f" LEFT JOIN {name} USING (profile)" for name in [*registers, *joined] if name not in apart
        )
        return (
            f"SELECT profile, {', '.join(plain)} FROM profiles{most} WHERE NOT ({odd})"
            f" UNION ALL {every_}{joins} WHERE {odd}"
        )

    def _told(self, node: Node, number_: str, holds: str, value_: str, other: str | None) -> list[str]:
        columns = [f"{holds} AS n{number_}"]
        if isinstance(node, Attribute | Near):
            columns.append(f"coalesce({value_}, 'null') = 'null' AS l{number_}")
        if self.question.values:
            columns.append(f"{value_} AS v{number_}")
            columns += [] if other is None else [f"{other} AS w{number_}"]
        return columns

    def profiles(self) -> str:
        """Everybody to whom anything happened, with what is counted in passing."""
        if self.question.numbered:
            return self._listed()
        if not self._tallies:
            return "SELECT DISTINCT profile FROM happened"
        columns = aggregates(self._tallies)
        if not self.question.retracted:
            grouped = f"SELECT profile, {columns} FROM happened GROUP BY profile"
            return f"SELECT *{then(self._tallies)} FROM ({grouped})"
        names = named(tuple(name for each in self._tallies for name in each.names))
        counted = f"SELECT profile, {columns} FROM standing WHERE {names} GROUP BY profile"
        everybody = f"(SELECT DISTINCT profile FROM happened) LEFT JOIN ({counted}) USING (profile)"
        return f"SELECT *{then(self._tallies)} FROM {everybody}"

    def _listed(self) -> str:
        """The same, of lists that are kept: columns h, m and x of a tally say whether it holds, what was
        measured, and whether it is odd. Lists go no further than this."""
        listed = [each for of in self._tallies for each in of.listed]
        lists = {
            what: f"list{index}"
            for index, what in enumerate(dict.fromkeys(each.counting() for each in listed))
        }
        found = "".join(f", {what} AS {name}" for what, name in lists.items())
        columns = "".join(f", {each.expression(lists[each.counting()])} AS {each.name}" for each in listed)
        said = "".join(
            f", {what or 'FALSE'} AS {of.prefix}{name}"
            for of in self._tallies
            for name, what in (("h", of.holds), ("m", of.measured), ("x", of.odd))
        )
        inner = f"SELECT profile{columns} FROM (SELECT profile{found} FROM {GROUPED})"
        odd = some([of.odd for of in self._tallies if of.odd is not None])
        return f"SELECT profile{said}, {odd} AS odd FROM (SELECT *{then(self._tallies)} FROM ({inner}))"

    def _column(
        self, node: Node, at: str, names: Mapping[str, str], segment: str | None, joined: list[str]
    ) -> _Column:
        counted = tally(node, self.question.now_ms, segment, f"c{next(self._numbers)}")
        if counted is not None:
            return self._counted(counted, joined)
        holds, found = self._holds(node, at, names, segment, joined)
        return _Column(holds, f"CAST({found} AS VARCHAR)")

    def _counted(self, counted: Tally, joined: list[str]) -> _Column:
        source = "profiles"
        holds, measured, strange = counted.holds, counted.measured, counted.odd
        if self.question.numbered:
            self._tallies.append(counted)
            holds, measured, strange = (f"{counted.prefix}{each}" for each in "hmx")
        elif counted.own is None:
            self._tallies.append(counted)
        else:
            source = self._relation("counted", counted.query())
            joined.append(source)
        if counted.odd is None or counted.exact is None:
            return _Column(holds, measured, counted.told)
        if self.question.numbered and not self.question.odd:
            return _Column(holds, measured, counted.told)
        odd = self._relation("odd", f"SELECT profile FROM {source} WHERE {strange}")
        few = (
            of_few(odd)
            if self.question.numbered
            else f"(SELECT * FROM standing SEMI JOIN {odd} USING (profile))"
        )
        exact = counted.exact(few)
        leaf = self._relation("leaf", exact.query)
        joined.append(leaf)
        if self.question.numbered:
            self._odd.append((f"{counted.prefix}x", leaf))
        return _Column(
            f"CASE WHEN {strange} THEN coalesce({leaf}.holds, {truth(exact.otherwise)}) ELSE {holds} END",
            f"CASE WHEN NOT ({strange}) THEN {measured} END",
            f"coalesce({{1}}, {counted.told})",
            f"CAST({leaf}.measured AS VARCHAR)",
            (holds, measured) if self.question.numbered else None,
        )

    def _holds(
        self, node: Node, at: str, names: Mapping[str, str], segment: str | None, joined: list[str]
    ) -> tuple[str, str]:
        """Truth, and value; as expressions."""
        now_ms = self.question.now_ms
        match node:
            case All() | AnyOf():
                below = [names[f"{at}/of/{index}"] for index in range(len(node.of))]
                return every(below) if isinstance(node, All) else some(below), "NULL"
            case Not():
                return f"NOT {names[f'{at}/of']}", "NULL"
            case Attribute():
                found = self.registers.attribute(node.name)
                return value.holds(node, found, now_ms), found
            case Tag() if node.name is None:
                return self._looked_up(Evidence(ANY_TAG), joined)
            case Tag(name=str() as name):
                return f"coalesce({self.registers.tag(name)}, FALSE)", "NULL"
            case Consent():
                state = f"coalesce({self.registers.consent(node)}, 'none')"
                return f"{state} = {text(node.state)}", f"to_json({state})"
            case Bucket():
                if self.question.numbered and PEOPLE not in joined:
                    joined.append(PEOPLE)
                return bucket(node, f"{PEOPLE}.id" if self.question.numbered else "profile")
            case Near():
                found = self.registers.attribute(node.attribute)
                return near(node, found), found
            case SegmentRef():
                return self._member(node.id, joined), "NULL"
            case Event():
                evidence = measure(node, now_ms, segment)
            case Computed():
                evidence = computed(node, now_ms)
            case Occurrence():
                evidence = occurrence(node, now_ms, segment)
            case Sequence():
                evidence = sequence(node, now_ms, segment)
        return self._looked_up(evidence, joined)

    def _looked_up(self, found: Evidence, joined: list[str]) -> tuple[str, str]:
        name = self._relation("leaf", found.query)
        joined.append(name)
        return (
            f"coalesce({name}.holds, {truth(found.otherwise)})",
            f"coalesce({name}.measured, {found.of_nothing})",
        )

    def _member(self, id_: str, joined: list[str]) -> str:
        if id_ not in self.question.segments:
            return "FALSE"
        root = self.question.segments[id_]
        if isinstance(root, int):
            return f"coalesce({self.registers.listed(id_, root)}, FALSE)"
        if id_ not in self._segments:
            inner = self.select(root, id_)
            self._segments[id_] = self._relation("segment", f"SELECT profile, n0 AS holds FROM ({inner})")
        name = self._segments[id_]
        if name not in joined:
            joined.append(name)
        return f"coalesce({name}.holds, FALSE)"

    def _relation(self, kind: str, query: str) -> str:
        name = f"{kind}{next(self._numbers)}"
        self.relations.append((name, query))
        return name
