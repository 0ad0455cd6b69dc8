"""Many values in SQL: looked up by their hash, with the verdicts of few values."""

from __future__ import annotations

import duckdb
import msgspec
import pytest

from livesegments.core.definition import Event, Filter
from livesegments.history.sql import large, value
from livesegments.history.sql.session import prepare

MANY = [*range(150), 0.5, "Straße", "x'y"]
SEEN = [0, 149, 150, 1.0, 0.5, 0.25, "STRASSE", "Straße", "x'y", "n1", True, None, ["a"], [1, "a"]]


@pytest.mark.parametrize(("op", "folded"), [("in", False), ("not_in", True), ("has_any", True)])
def test_many_values_give_the_verdicts_of_few(op: str, folded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    test = Filter("p", op, MANY, ignore_case=folded)
    with duckdb.connect() as connection:
        prepare(connection, "UTC")
        for statement in large.variables([Event("n", where=(test,))]):
            connection.execute(statement)

        def verdicts() -> list[bool]:
            verdict = value.holds(test, "x", 0)
            each = ", ".join("CAST(? AS JSON)" for _ in SEEN)
            # within a lambda, as `where` is
            sql = f"SELECT list_transform([{each}], lambda x: {verdict})"
            given = [None if seen is None else msgspec.json.encode(seen).decode() for seen in SEEN]
            row = connection.execute(sql, given).fetchone()
            assert row is not None
            found: list[bool] = row[0]
            return found

        many = verdicts()
        monkeypatch.setattr(large, "FEW", 1_000)
        assert many == verdicts()
        assert True in many and False in many
