"""Tables of exports: the types of Parquet's columns, and what no spreadsheet runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from livesegments.history.export_files import ExportFiles
from livesegments.history.exported import Row, neutral, sink


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\tx", "\rx", "\nx", "＝1"])
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert neutral(text) == f"'{text}"
    assert neutral(f"a{text}") == f"a{text}"


@pytest.mark.parametrize(
    ("values", "type_", "read"),
    [
        ([1, None, 3], "int64", [1, None, 3]),
        ([1, 2.5], "double", [1.0, 2.5]),
        ([True, False], "bool", [True, False]),
        (["a", None], "string", ["a", None]),
        ([None, None], "string", [None, None]),
        ([1, "a"], "string", ["1", '"a"']),
        ([[1], "a"], "string", ["[1]", '"a"']),
        ([2**60, 0.5], "string", ["1152921504606846976", "0.5"]),
        ([2**60], "int64", [2**60]),
        ([2**63], "string", [str(2**63)]),
    ],
)
def test_a_column_has_the_type_of_its_values(values: list[Any], type_: str, read: list[Any]) -> None:
    table = sink("parquet", ["a"], [])
    for number, value in enumerate(values):
        table.add([Row(f"p{number}", {} if value is None else {"a": value}, {})])
    found = pq.read_table(table.finish())
    assert (str(found.schema.field("a").type), found.column("a").to_pylist()) == (type_, read)
    table.close()


def test_files_are_put_read_and_removed_when_they_are_old(tmp_path: Path) -> None:
    files = ExportFiles(str(tmp_path))
    table = sink("ndjson", [], [])
    table.add([Row("ann", {}, {})])
    assert files.put("w", "a.ndjson", table.finish()) == table.size
    with files.open("w", "a.ndjson") as file:
        assert file.read() == b'{"profile":"ann","fields":{}}\n'
    assert files.older(1_000) == []
    os.utime(tmp_path / "w" / "a.ndjson", (500, 500))
    assert files.older(1_000) == [("w", "a.ndjson")]
    files.remove("w", "a.ndjson")
    with pytest.raises(FileNotFoundError):
        files.open("w", "a.ndjson")
