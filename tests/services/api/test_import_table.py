"""CSV files of every kind as rows, and rows as changes of profiles; nothing runs beside it."""

from __future__ import annotations

import io
from typing import Any

import pytest

from livesegments.api.imports import table as import_table
from livesegments.api.imports.mapping import Column, Plan, Reader, guessed, typed
from livesegments.api.imports.table import Joined, Unsuitable, form_of, rows
from livesegments.core.declared import Declared

PLAN = Plan("id", False, (Column("a", "attribute", "a"),))


def read(data: bytes, encoding: str | None = None, delimiter: str | None = None) -> list[list[str]]:
    """Cells of the good rows, header first."""
    form = form_of(data, encoding, delimiter)
    return [list(form.header), *(row.cells for row in rows(io.BytesIO(data), form) if not row.fault)]


@pytest.mark.parametrize(
    ("data", "encoding", "delimiter"),
    [
        ("id,a\n1,ü\n".encode(), "utf-8", ","),
        ("id;a\r\n1;ü\r\n".encode("utf-8-sig"), "utf-8-sig", ";"),
        ("id\ta\n1\tü\n".encode("utf-16"), "utf-16", "\t"),
        ("id|a\n1|ü\n".encode("windows-1252"), "windows-1252", "|"),
        (b'"id";"a,b,c"\n1;x\n', "utf-8", ";"),
        (b'"i""d, x";a\n1;x\n', "utf-8", ";"),
        (b"id\n1\n", "utf-8", ","),
    ],
)
def test_how_a_file_is_written_is_seen(data: bytes, encoding: str, delimiter: str) -> None:
    form = form_of(data, None, None)
    assert (form.encoding, form.delimiter) == (encoding, delimiter)
    assert len(read(data)) == 2


def test_a_character_that_is_cut_by_the_beginning_that_is_looked_at_is_no_other_encoding() -> None:
    head = ("id,a\n1," + "ü" * 10).encode()[:-1]
    assert form_of(head, None, None).encoding == "utf-8"


def test_utf_16_that_is_cut_or_broken_costs_the_rows_that_it_is_in() -> None:
    data = "id,a\n1,x\n2,y\n".encode("utf-16")
    assert read(data + b"3") == [["id", "a"], ["1", "x"], ["2", "y"]]
    broken = "id,a\n1,".encode("utf-16") + b"\x00\xd8" + "x\n2,y\n".encode("utf-16-le")
    form = form_of(broken, None, None)
    assert {row.number: row.fault for row in rows(io.BytesIO(broken), form)} == {
        1: "a: has bytes that are not utf-16",
        2: "",
    }
    for whole in (b"\xff\xfei", b"\xfe\xff\x00", b"\xff\xfe"):
        with pytest.raises(Unsuitable, match="the file is empty"):
            form_of(whole, None, None)
    for head, encoding in ((b"\xff\xfe\x00\xd8\n\x00", None), (b"i\x81d\n\xff", None), (b"i\xff\n", "utf-8")):
        with pytest.raises(Unsuitable, match="the first line has bytes that are not"):
            form_of(head, encoding, None)
    pair = "id,😀".encode("utf-16")
    assert form_of(pair[:-2], None, None).header == ("id", "")


def test_cells_have_line_breaks_delimiters_and_quotes() -> None:
    data = b'id,a\n1,"two\r\nlines, and ""quotes"""\n\n2,\n'
    assert read(data) == [["id", "a"], ["1", 'two\r\nlines, and "quotes"'], ["2", ""]]
    assert read("id;a\n1;ŷ\n".encode("utf-16"), "utf-16", ";")[1] == ["1", "ŷ"]


def test_a_row_that_cannot_be_read_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_table, "MAX_CELL", 10)
    data = b'id,a\n1,x\n2\n3,x,y\n4,"x"y\n5,\xff\n6,12345678901\n7,x\n8,"never closed\n'
    form = form_of(data, "utf-8", None)
    found = {row.number: row.fault for row in rows(io.BytesIO(data), form)}
    assert sorted(number for number, fault in found.items() if not fault) == [1, 7]
    assert "has 1 cells, and the header names 2" in found[2] and "has 3 cells" in found[3]
    assert (
        "quotes" in found[4] and "not utf-8" in found[5] and "at most 10" in found[6] and "quotes" in found[8]
    )


@pytest.mark.parametrize(
    "data", [b"", b"\n", b",,\n", b"a,b,a\n1,2,3\n", b'"a\n', b"a," * 300, b"\xef\xbb\xbf"]
)
def test_a_file_that_cannot_be_read_at_all_says_why(data: bytes) -> None:
    with pytest.raises(Unsuitable) as error:
        form_of(data, None, None)
    assert len(str(error.value)) > 20


def test_a_file_has_a_bound_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_table, "MAX_ROWS", 3)
    with pytest.raises(Unsuitable, match="more than 3 rows"):
        read(b"id\n1\n2\n3\n4\n")


def test_parts_are_one_file_wherever_they_were_cut() -> None:
    data = "id,a\n1,üü\n2,ß\n".encode()
    for at in range(len(data)):
        whole = io.BufferedReader(Joined(io.BytesIO(part) for part in (data[:at], data[at:])))
        form = form_of(data, None, None)
        assert [row.cells for row in rows(whole, form)] == [["1", "üü"], ["2", "ß"]]


def changes(data: bytes, plan: Plan) -> list[Any]:
    form = form_of(data, None, None)
    reader = Reader(plan, form.header)
    return [reader.read(row) for row in rows(io.BytesIO(data), form)]


def test_a_row_becomes_a_change_of_a_profile() -> None:
    columns = (
        Column("Age", "attribute", "age", Declared("number")),
        Column("Since", "attribute", "since", Declared("date", form="DD/MM/YYYY")),
        Column("Langs", "attribute", "langs", Declared("list")),
        Column("Labels", "tags"),
        Column("Mails", "consent", channel="email"),
        Column("News", "consent", channel="email", topic="news"),
    )
    data = (
        b"Mail,Age,Since,Langs,Labels,Mails,News\n"
        b' Ann@Example.com ,42,30/11/2025,"de; en",vip;new,Opted-In,no\n'
    )
    assert changes(data, Plan("Mail", True, columns, segment="fans")) == [
        {
            "profile": "ann@example.com",
            "attributes": {
                "email": "Ann@Example.com",
                "age": 42,
                "since": "2025-11-30",
                "langs": ["de", "en"],
            },
            "tags": {"add": ["vip", "new"]},
            "consent": [
                {"state": "opted_in", "channel": "email"},
                {"state": "opted_out", "channel": "email", "topic": "news"},
            ],
            "lists": {"add": ["fans"]},
        }
    ]


def test_an_empty_cell_says_nothing_or_takes_the_attribute_away() -> None:
    data = b"id,a\nann,\n"
    assert changes(data, PLAN)[0]["attributes"] == {}
    away = Plan("id", False, PLAN.columns, remove_empty=True)
    assert changes(data, away)[0]["attributes"] == {"a": None}


def test_a_refused_row_names_every_fault() -> None:
    columns = (
        Column("n", "attribute", "n", Declared("number")),
        Column("p", "attribute", "p", Declared("point")),
    )
    (faults,) = changes(b'Mail,n,p\nnobody,old,"95, 13"\n', Plan("Mail", True, columns))
    assert [(each.pointer, each.code) for each in faults] == [
        ("Mail", "bad_email"),
        ("n", "wrong_type"),
        ("p", "wrong_type"),
    ]
    assert [each.code for each in changes(b"id,a\n,x\n", PLAN)[0]] == ["empty"]
    assert [each.code for each in changes(b"id,a\n" + b"x" * 257 + b",x\n", PLAN)[0]] == ["too_long"]


@pytest.mark.parametrize(
    ("cell", "state"),
    [
        ("yes", "opted_in"),
        ("TRUE", "opted_in"),
        ("0", "opted_out"),
        ("opted out", "opted_out"),
        ("none", "none"),
    ],
)
def test_a_consent_is_read_as_people_write_it(cell: str, state: str) -> None:
    plan = Plan("id", False, (Column("News", "consent", topic="news"),), remove_empty=True)
    given, silent, odd = changes(f"id,News\nann,{cell}\nbob,\ncy,perhaps\n".encode(), plan)
    assert given["consent"] == [{"state": state, "topic": "news"}]
    assert "consent" not in silent, "an empty cell takes no consent back"
    assert [(each.code, each.message) for each in odd] == [
        ("unknown_choice", "must be opted_in, opted_out, none, yes or no, not 'perhaps'")
    ]


def test_what_is_declared_holds() -> None:
    plan = typed(PLAN, {"a": Declared("text", choices=("free", "pro"))})
    good, bad = changes(b"id,a\nann,pro\nbob,gold\n", plan)
    assert good["attributes"] == {"a": "pro"} and [each.code for each in bad] == ["unknown_choice"]


@pytest.mark.parametrize(
    ("cells", "type_"),
    [
        (["1", "2.5", "-3", ""], "number"),
        (["01067", "10115"], "text"),
        (["yes", "NO"], "boolean"),
        (["2025-11-30", "2025-12-01T10:00"], "date"),
        (["30/11/2025"], "text"),
        (["", ""], "text"),
    ],
)
def test_what_a_column_looks_like(cells: list[str], type_: str) -> None:
    assert guessed(cells) == type_
