"""Questions about history, answered over a connection that has the relation `happened`."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from livesegments.core.definition import Attribute, Near, SegmentRef
from livesegments.history.asking import (
    Asked,
    Behind,
    FlowFound,
    Flowing,
    Found,
    Moved,
    Sampled,
    Seen,
    Sent,
    Transitioned,
    Was,
    WasFound,
)
from livesegments.history.sql.behind import behind
from livesegments.history.sql.offset import DAY_MS
from livesegments.history.sql.query import Answer, Question, translate
from livesegments.history.sql.text import text, texts

WEIGHED, WEIGHED_EVENTS = 100, 1_000
"""Profiles whose events are given for weighing, and how many of each at most."""
MOST_ODD = 1_000
"""Of more profiles that one pass can't say all are asked again."""


def answer(
    connection: duckdb.DuckDBPyConnection,
    asked: Asked,
    now_ms: int,
    retracted: bool = True,
    lists: pa.Table | None = None,
) -> Found:
    """Counts, samples, and a page of members; of a change also who would enter and leave. `retracted` as in
    `Question`. `lists`: where profiles are numbers what `numbered` made; it is left to `sent` then what they
    sent."""
    numbered = lists is not None
    definition = asked.definition
    if definition is None:
        assert asked.segment is not None
        definition = SegmentRef(asked.segment)
    question = Question(definition, asked.segments, now_ms, asked.segment, retracted, numbered)
    question = replace(question, values=not numbered or asked.counted > 0)
    translated, odd = _table(connection, "answer", question)
    if asked.before is not None:
        _table(connection, "former", replace(question, definition=asked.before))
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE change AS SELECT answer.*, was FROM answer"
            " LEFT JOIN (SELECT profile, n0 AS was FROM former) USING (profile)"
        )
    else:
        connection.execute("CREATE OR REPLACE TEMP VIEW change AS SELECT *, n0 AS was FROM answer")
    nodes = [at for at, _ in translated.nodes]
    counts = "".join(f", count(*) FILTER (n{index})" for index in range(len(nodes)))
    registered = [
        (index, at) for index, (at, node) in enumerate(translated.nodes) if isinstance(node, Attribute | Near)
    ]
    counts += "".join(f", count(*) FILTER (l{index})" for index, _ in registered)
    row = connection.execute(
        "SELECT count(*), count(*) FILTER (n0 AND NOT was), count(*) FILTER (was AND NOT n0)"
        f"{counts} FROM change"
    ).fetchone()
    assert row is not None
    profiles, entering, leaving, *rest = row
    held, lacking = rest[: len(nodes)], rest[len(nodes) :]
    members = _page(connection, asked, _named("answer", numbered)) if asked.limit else []

    def sample(condition: str, there: int) -> list[Sampled]:
        of = replace(question, odd=odd)
        return _sample(connection, of, translated, condition, asked.sample if there else 0, lists)

    return Found(
        at_ms=now_ms,
        profiles=profiles,
        nodes=list(zip(nodes, held, strict=True)),
        sample=sample("n0", held[0]),
        entering=entering,
        leaving=leaving,
        sample_entering=sample("n0 AND NOT was", entering),
        sample_leaving=sample("was AND NOT n0", leaving),
        members=members[: asked.limit],
        more=len(members) > asked.limit,
        lacking=[(at, count) for (_, at), count in zip(registered, lacking, strict=True)],
        sent=[] if numbered or not asked.weighed else sent(connection, asked.weighed),
        values=_values(connection, asked.counted) if asked.counted else [],
    )


def _table(connection: duckdb.DuckDBPyConnection, name: str, question: Question) -> tuple[Answer, bool]:
    """Makes a table of the answer; and whether anybody is odd. Only then files are looked at for them: to
    open these takes longer than many a question."""
    translated = translate(replace(question, odd=not question.numbered))
    _prepared(connection, translated)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {translated.sql}")
    if not question.numbered:
        return translated, True
    query = f"SELECT profile FROM {name} WHERE odd LIMIT {MOST_ODD + 1}"
    odd = tuple(number for (number,) in connection.execute(query).fetchall())
    if len(odd) > MOST_ODD or (odd and question.values):
        translated = translate(question)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {translated.sql}")
    elif odd:
        exact = translate(replace(question, few=odd))
        connection.execute(f"DELETE FROM {name} WHERE odd")
        connection.execute(f"INSERT INTO {name} BY NAME {exact.sql}")
    return translated, bool(odd)


def _prepared(connection: duckdb.DuckDBPyConnection, translated: Answer) -> None:
    for statement in translated.before:
        connection.execute(statement)


def _values(connection: duckdb.DuckDBPyConnection, most: int) -> list[tuple[str, int]]:
    """Of what the whole definition compares; lists and locations have no key, and are left out."""
    return connection.execute(
        f"""
SELECT min(v0) AS value, count(*) AS members FROM answer
WHERE n0 AND ls_key(CAST(v0 AS JSON)) IS NOT NULL
GROUP BY ls_key(CAST(v0 AS JSON)) ORDER BY members DESC, value LIMIT {most}
"""
    ).fetchall()


def _named(relation: str, numbered: bool) -> str:
    """A relation with the column `person` more, the profile's id, as an expression behind FROM."""
    if numbered:
        return f"(SELECT {relation}.*, people.id AS person FROM {relation} JOIN people USING (profile))"
    return f"(SELECT *, profile AS person FROM {relation})"


def drawn(connection: duckdb.DuckDBPyConnection, people: str) -> list[str]:
    """Ids of a few of the profiles in a relation, always the same ones."""
    query = f"SELECT profile FROM {people} ORDER BY md5(profile || 'drawn') LIMIT {WEIGHED}"
    return [profile for (profile,) in connection.execute(query).fetchall()]


def sent(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], profiles: Sequence[str] | None = None
) -> list[Sent]:
    """The newest events of some profiles, those without any among them; None: of a few that are drawn. Reads
    `happened`, with ids."""
    listed = ", ".join(map(text, names))
    few = drawn(connection, "answer") if profiles is None else profiles
    rows = connection.execute(
        f"""
WITH drawn AS MATERIALIZED (SELECT unnest({texts(few)}) AS profile)
SELECT profile, id, name, t, CAST(properties AS VARCHAR) FROM drawn LEFT JOIN (
  SELECT * FROM happened WHERE name IN ({listed}) AND list_contains({texts(few)}, profile)
  QUALIFY row_number() OVER (PARTITION BY profile ORDER BY t DESC, "commit" DESC) <= {WEIGHED_EVENTS}
) USING (profile)
"""
    ).fetchall()
    found: dict[str, list[Behind]] = {}
    for profile, *event in rows:
        mine = found.setdefault(profile, [])
        if event[0] is not None:
            mine.append(Behind(*event))
    return [Sent(profile, events) for profile, events in found.items()]


def _sample(
    connection: duckdb.DuckDBPyConnection,
    question: Question,
    translated: Answer,
    condition: str,
    size: int,
    lists: pa.Table | None,
) -> list[Sampled]:
    """Always the same profiles as long as they fulfil the condition."""
    if not size:
        return []
    change = _named("change", question.numbered)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE picked AS SELECT profile, person FROM {change} WHERE {condition}"
        f" ORDER BY md5(person) LIMIT {size}"
    )
    whole = "change"
    if lists is not None:  # values are worked out of these alone
        few = [number for (number,) in connection.execute("SELECT profile FROM picked").fetchall()]
        numbers = lists.column("profile")
        theirs = pc.is_in(numbers, value_set=pa.array(few, numbers.type))
        connection.register("kept_lists", lists.filter(theirs))
        translated = translate(replace(question, few=tuple(few), values=True))
        whole = f"({translated.sql})"
    nodes = len(translated.nodes)
    columns = [f"n{index}" for index in range(nodes)] + list(translated.told)
    rows: Sequence[tuple[object, ...]] = connection.execute(
        f"SELECT person, {', '.join(columns)} FROM picked JOIN {whole} AS whole USING (profile)"
        " ORDER BY md5(person)"
    ).fetchall()
    return [
        Sampled(
            profile=str(profile),
            holds=[bool(each) for each in rest[:nodes]],
            values=[None if each is None else str(each) for each in rest[nodes:]],
        )
        for profile, *rest in rows
    ]


def _page(connection: duckdb.DuckDBPyConnection, asked: Asked, answer: str) -> list[str]:
    """One more than the page has, if there are more."""
    rows = connection.execute(
        f"SELECT person FROM {answer} WHERE n0 AND person > {text(asked.after or '')}"
        f" ORDER BY person LIMIT {asked.limit + 1}"
    ).fetchall()
    return [person for (person,) in rows]


def was(connection: duckdb.DuckDBPyConnection, transitions: str, asked: Was, now_ms: int) -> WasFound:
    """The newest transition up to an instant, from a relation of all; and what each node saw."""
    row = connection.execute(
        f"""
SELECT kind, epoch_ms("at"), cause, version, event_id FROM {transitions}
WHERE workspace = {text(asked.workspace)} AND segment = {text(asked.segment)}
  AND profile = {text(asked.profile)} AND epoch_ms("at") <= {now_ms}
ORDER BY sequence DESC LIMIT 1
"""
    ).fetchone()
    definition = asked.definition or SegmentRef(asked.segment)
    own = asked.segment if asked.definition is not None else None
    translated = translate(Question(definition, asked.segments, now_ms, own))
    _prepared(connection, translated)
    columns = ", ".join(f"n{index}, {told}" for index, told in enumerate(translated.told))
    seen = connection.execute(f"SELECT {columns} FROM ({translated.sql})").fetchone()
    nodes = []
    if seen is not None:
        for (pointer, node), holds, value in zip(translated.nodes, seen[::2], seen[1::2], strict=True):
            query = behind(node, now_ms, own, asked.events) if asked.events else None
            rows = connection.execute(query).fetchall() if query is not None else ()
            told = None if value is None else str(value)
            nodes.append(Seen(pointer, bool(holds), told, [Behind(*each) for each in rows]))
    return WasFound(now_ms, None if row is None else Transitioned(*row), nodes)


def flow(
    connection: duckdb.DuckDBPyConnection, transitions: str, asked: Flowing, size: int, now_ms: int
) -> FlowFound:
    """By the workspace's days. What came beyond `now_ms`, by the clock of a partition, is of today."""
    found = connection.execute(f"SELECT ls_wall({now_ms}) // {DAY_MS}").fetchone()
    assert found is not None
    today: int = found[0]
    rows = connection.execute(
        f"""
SELECT least(ls_wall(epoch_ms("at")) // {DAY_MS}, {today}) AS day, kind, cause, count(*) FROM {transitions}
WHERE workspace = {text(asked.workspace)} AND segment = {text(asked.segment)}
  AND epoch_ms("at") > {now_ms - (asked.days + 1) * DAY_MS}
GROUP BY ALL HAVING day > {today - asked.days} ORDER BY ALL
"""
    ).fetchall()
    return FlowFound(now_ms, today, size, [Moved(*row) for row in rows])
