"""Declared attributes: how values are read by their type, and which conditions fit it."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livesegments.core.check import check
from livesegments.core.declared import Declared
from livesegments.core.typed import Misfit, form_fault, read

NUMBER, BOOLEAN, DATE = Declared("number"), Declared("boolean"), Declared("date")
GERMAN = Declared("date", form="DD/MM/YYYY", zone="Europe/Berlin")
TIMED = Declared("date", form="DD.MM.YYYY HH:mm", zone="Europe/Berlin")
PLAN = Declared("text", choices=("free", "pro"))


@pytest.mark.parametrize(
    ("declared", "value", "kept"),
    [
        (NUMBER, "42", 42),
        (NUMBER, " -1.50 ", -1.5),
        (NUMBER, 7, 7),
        (NUMBER, "9223372036854775807", 2**63 - 1),
        (NUMBER, None, None),
        (BOOLEAN, "Yes", True),
        (BOOLEAN, 0, False),
        (DATE, "2025-11-30", "2025-11-30"),
        (DATE, 1_764_460_800, "2025-11-30T00:00:00Z"),
        (DATE, 1_764_460_800_000, "2025-11-30T00:00:00Z"),
        (GERMAN, "30/11/2025", "2025-11-30"),
        (GERMAN, "1/2/2025", "2025-02-01"),
        (GERMAN, "2025-11-30", "2025-11-30"),
        (GERMAN, "2025-07-01T10:00", "2025-07-01T08:00:00Z"),
        (GERMAN, "2025-07-01T10:00+00:00", "2025-07-01T10:00+00:00"),
        (TIMED, "30.11.2025 9:05", "2025-11-30T08:05:00Z"),
        (Declared("text"), 10115, "10115"),
        (Declared("text"), True, "true"),
        (PLAN, "pro", "pro"),
        (Declared("list"), "a", ["a"]),
        (Declared("list", choices=("a", "b")), ["b", "a"], ["b", "a"]),
        (Declared("point"), "52.5, 13.4", {"lat": 52.5, "lon": 13.4}),
        (Declared("point"), {"lat": 1, "lon": 2}, {"lat": 1, "lon": 2}),
    ],
)
def test_a_value_is_kept_as_its_type(declared: Declared, value: Any, kept: Any) -> None:
    found = read(declared, value)
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (NUMBER, "old"),
        (NUMBER, "1,5"),
        (NUMBER, "nan"),
        (NUMBER, "inf"),
        (NUMBER, "1e400"),
        (NUMBER, "9223372036854775808"),
        (NUMBER, "9" * 5_000),
        (NUMBER, "٤٢"),
        (NUMBER, True),
        (NUMBER, []),
        (BOOLEAN, "maybe"),
        (BOOLEAN, 2),
        (DATE, "30/11/2025"),
        (DATE, -1),
        (DATE, True),
        (GERMAN, "31/02/2025"),
        (GERMAN, "11/30/2025"),
        (GERMAN, "30/11/25"),
        (PLAN, "Pro"),
        (Declared("list", choices=("a",)), ["a", "c"]),
        (Declared("text"), ["a"]),
        (Declared("list"), {"lat": 1, "lon": 2}),
        (Declared("point"), "here"),
    ],
)
def test_what_is_none_of_the_type_is_told(declared: Declared, value: Any) -> None:
    with pytest.raises(Misfit):
        read(declared, value)


@pytest.mark.parametrize("form", ["DD/MM", "DD/MM/YYYY DD", "DD of MM YYYY", "DD/MM/YYYY mm", "D" * 50])
def test_a_form_of_dates_has_year_month_and_day(form: str) -> None:
    assert form_fault(form) and not form_fault("YYYY-MM-DDTHH:mm:ss")


DECLARED = {"age": NUMBER, "plan": PLAN, "vip": BOOLEAN, "born": DATE, "langs": Declared("list"),
            "home": Declared("point"), "city": Declared("text")}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "op", "value", "code"),
    [
        ("age", "gte", 18, None),
        ("age", "in", [1, "2"], "wrong_type"),
        ("age", "gte", "18", "wrong_type"),
        ("age", "starts_with", "1", "wrong_op"),
        ("age", "before", "2025-01-01", "wrong_op"),
        ("plan", "eq", "pro", None),
        ("plan", "eq", "gold", "unknown_choice"),
        ("plan", "in", ["pro", "gold"], "unknown_choice"),
        ("plan", "starts_with", "p", None),
        ("vip", "eq", True, None),
        ("vip", "gt", 1, "wrong_op"),
        ("vip", "eq", "true", "wrong_type"),
        ("born", "older_than", "18y", None),
        ("born", "gt", "2025", "wrong_op"),
        ("born", "eq", "2025-01-01", None),
        ("langs", "has_any", ["de"], None),
        ("langs", "eq", "de", "wrong_op"),
        ("city", "eq", 5, "wrong_type"),
        ("home", "eq", "x", "wrong_op"),
        ("home", "exists", None, None),
        ("other", "gt", "x", None),
    ],
)
def test_a_condition_fits_the_type(name: str, op: str, value: Any, code: str | None) -> None:
    node = {"type": "attribute", "name": name, "op": op} | ({} if value is None else {"value": value})
    found, faults = check(node, declared=DECLARED)
    assert [fault.code for fault in faults] == ([] if code is None else [code])
    assert (found is None) == (code is not None)


def test_near_needs_a_point() -> None:
    near = {"type": "near", "attribute": "home", "lat": 1, "lon": 2, "km": 3}
    assert check(near, declared=DECLARED)[1] == []
    assert [each.pointer for each in check(near | {"attribute": "age"}, declared=DECLARED)[1]] == [
        "/attribute"
    ]


PAGE = (Path(__file__).parents[2] / "docs" / "fields.md").read_text()
ROWS = re.findall(r"^\| `(\{.*?\})` \| `(.*?)` \| (?:`(.*?)` )?\|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("declared", "sent", "kept"), ROWS)
def test_the_page_reads_values_as_it_says(declared: str, sent: str, kept: str) -> None:
    inside = {"format": "form", "timezone": "zone"}  # what the api's fields are called in the core
    given = msgspec.convert({inside.get(k, k): v for k, v in json.loads(declared).items()}, Declared)
    if kept:
        assert read(given, json.loads(sent)) == json.loads(kept)
    else:
        with pytest.raises(Misfit):
            read(given, json.loads(sent))


def test_the_page_has_its_rows() -> None:
    assert len(ROWS) == 13
