"""`livesegments value-lists put`: the values of a file, whatever its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from livesegments.cli.problem import Problem
from livesegments.cli.value_lists import _values, put


@pytest.mark.parametrize(
    ("name", "text", "column", "values"),
    [
        ("a.json", '["x", 1, 0.5]', None, ["x", 1, 0.5]),
        ("a.ndjson", '"x"\n\n2\n', None, ["x", 2]),
        ("a.csv", 'x,1\n"y, z",2\n', None, ["x", "y, z"]),
        ("a.csv", "sku,name\n1,a\n2,b\n", "name", ["a", "b"]),
        ("a.txt", "\ufeffx\n\n0042\n", None, ["x", "0042"]),
    ],
)
def test_values_of_files(
    tmp_path: Path, name: str, text: str, column: str | None, values: list[object]
) -> None:
    (tmp_path / name).write_text(text)
    assert _values(str(tmp_path / name), column) == values


@pytest.mark.parametrize(("name", "text"), [("a.json", '{"a": 1}'), ("a.ndjson", "{"), ("a.csv", "sku\n1\n")])
def test_what_is_no_list_is_said(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(Problem):
        _values(str(tmp_path / name), "name")


def test_a_file_in_another_encoding_is_said_to_be_that(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("Köln\n".encode("latin-1"))
    with pytest.raises(Problem, match="is no text in UTF-8, from byte 1 on"):
        _values(str(tmp_path / "a.csv"), None)


def test_a_list_is_emptied_only_if_that_is_meant(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n")
    with pytest.raises(Problem, match="has no values"):
        put("winter", str(tmp_path / "a.csv"), data=tmp_path)
