"""What a profile is, in SQL: the latest write of its attributes, tags, consent and lists.

One row a profile that ever changed; only what the definitions ask for becomes a column. Writes are ordered by
time, then by id, then by arrival. A removed attribute takes its parts along that were written before.
"""

from __future__ import annotations

from msgspec import Struct

from livesegments.core.definition import Consent
from livesegments.core.event import PROFILE
from livesegments.history.sql.text import some, text

_STAMP = 'ROW(t, id, "commit", place)'


class Registers(Struct):
    """The columns that are wanted; asking for one notes it and gives its name."""

    columns: dict[str, str] = {}
    scored: bool = False

    def attribute(self, name: str) -> str:
        """JSON, NULL where the profile has none."""
        if name == "score":
            self.scored = True
            return "score.value"
        if name == "groups":
            return self._column(_GROUPS)
        return self._column(_attribute(name))

    def tag(self, name: str) -> str:
        present = _present(name, "tags_add", "tags_remove")
        return self._column(f"coalesce(arg_max({present}, {_STAMP}), FALSE)")

    def listed(self, name: str, version: int) -> str:
        """Of a static segment: whether the latest change that means the highest version adds to this one."""
        meant = f"coalesce(CAST({_at('lists_versions', name)} AS BIGINT), {version})"
        present = _present(name, "lists_add", "lists_remove")
        present = f"CASE WHEN {present} IS NOT NULL THEN {present} AND {meant} = {version} END"
        return self._column(f"coalesce(arg_max({present}, ROW({meant}, {_STAMP})), FALSE)")

    def consent(self, node: Consent) -> str:
        """The state as text, NULL where none was heard of."""
        pair = [_same(f"c->>'$.{name}'", getattr(node, name)) for name in ("channel", "topic")]
        items = f"list_filter(json_extract({_at('consent')}, '$[*]'), lambda c: {pair[0]} AND {pair[1]})"
        return self._column(f"arg_max({items}[-1]->>'$.state', {_STAMP})")

    def relations(self) -> list[tuple[str, str]]:
        """(name, query) of `registers` and `score`, if they are asked for."""
        columns = "".join(f", {query} AS {name}" for query, name in self.columns.items())
        query = f"SELECT profile{columns} FROM happened WHERE name = {text(PROFILE)} GROUP BY profile"
        found = [("registers", query)] if columns else []
        return [*found, ("score", _SCORE)] if self.scored else found

    def _column(self, query: str) -> str:
        return f"registers.{self.columns.setdefault(query, f'r{len(self.columns)}')}"


def _at(*names: str) -> str:
    escaped = (name.replace("~", "~0").replace("/", "~1") for name in names)
    return f"json_extract(properties, {text(''.join(f'/{name}' for name in escaped))})"


def _attribute(name: str) -> str:
    written = _at("attributes", name)
    value = f"arg_max({written}, {_STAMP})"
    there = f"json_type({value}) <> 'NULL'"
    wholes = [name[:end] for end in range(1, len(name)) if name[end] == "."]
    if wholes:
        removed = some([f"coalesce(json_type({_at('attributes', whole)}), '') = 'NULL'" for whole in wholes])
        at = f"max({_STAMP}) FILTER ({written} IS NOT NULL)"
        there += f" AND coalesce(max({_STAMP}) FILTER ({removed}) <= {at}, TRUE)"
    return f"CASE WHEN {there} THEN {value} END"


_WRITTEN_GROUPS = f"list(CAST({_at('groups')} AS VARCHAR[])) FILTER ({_at('groups')} IS NOT NULL)"
_GROUPS = f"to_json(nullif(list_sort(list_distinct(flatten({_WRITTEN_GROUPS}))), []::VARCHAR[]))"


def _present(name: str, added: str, removed: str) -> str:
    """Whether a change adds it or, rather, removes it; NULL if it doesn't name it."""

    def named(key: str) -> str:
        return f"coalesce(list_contains(CAST({_at(key)} AS VARCHAR[]), {text(name)}), FALSE)"

    return f"CASE WHEN {named(removed)} THEN FALSE WHEN {named(added)} THEN TRUE END"


def _same(expression: str, wanted: str | None) -> str:
    return f"({expression}) IS NULL" if wanted is None else f"({expression}) = {text(wanted)}"


def _number(name: str) -> str:
    return f"nullif({_at('score', name)}->>'$', 'null')"


_SCORE = f"""
WITH said AS (
  SELECT profile, {_STAMP} AS stamp, {_number("set")} AS base, {_number("increment")} AS more
  FROM happened WHERE name = {text(PROFILE)} AND coalesce(base, more) IS NOT NULL
), based AS (
  SELECT profile, max(stamp) FILTER (base IS NOT NULL) AS since FROM said GROUP BY profile
)
SELECT profile, CAST(ls_told(sum(ls_wide(coalesce(base, more)))) AS JSON) AS value
FROM said JOIN based USING (profile)
WHERE since IS NULL OR stamp >= since
GROUP BY profile
"""

_NAMED = f"""
SELECT profile, {_STAMP} AS stamp, unnest(CAST({_at("tags_{0}")} AS VARCHAR[])) AS tag, {{1}} AS present
FROM happened WHERE name = {text(PROFILE)}
"""
ANY_TAG = f"""
WITH written AS ({_NAMED.format("add", "TRUE")} UNION ALL {_NAMED.format("remove", "FALSE")}),
latest AS (
  SELECT profile, tag, arg_max(present, ROW(stamp, NOT present)) AS present FROM written GROUP BY profile, tag
)
SELECT profile, bool_or(present) AS holds, NULL AS measured FROM latest GROUP BY profile
"""
"""Whether any tag is there. A change that both adds and removes a tag removes it."""
