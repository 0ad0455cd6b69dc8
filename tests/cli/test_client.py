"""The parts of the commands that read files, answers and failures, one by one."""

import io
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from rich.console import Console

from livesegments.cli import context, output, settle
from livesegments.cli.client import problem_of
from livesegments.cli.creating import changes
from livesegments.cli.demo.view import Row, State, render, sparkline
from livesegments.cli.problem import Problem
from livesegments.cli.send import item_of
from livesegments.cli.sender import MAX_BATCH_BYTES, Item, Refused
from livesegments.client.errors import refusal

UP = context.Up("http://i", "http://a", "k:1", "redis://r", "first", "wk", "ak", "admin")


def test_what_up_leaves_is_read_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    context.write_up(tmp_path, UP)
    assert context.read_up(tmp_path) == UP
    assert (tmp_path / "up.json").stat().st_mode & 0o777 == 0o600
    assert context.api(None, None, None, tmp_path) == context.Target("http://a", "ak")
    assert context.ingest("http://other/", None, tmp_path) == context.Target("http://other", "wk")


def test_another_workspace_is_reached_with_the_admin_key(tmp_path: Path) -> None:
    context.write_up(tmp_path, UP)
    assert context.api(None, None, "second", tmp_path) == context.Target("http://a", "admin", "second")
    assert context.api(None, "mine", "second", tmp_path) == context.Target("http://a", "mine", "second")


def test_without_an_address_it_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(Problem) as raised:
        context.api(None, "key", None, tmp_path)
    assert "--api" in raised.value.message
    assert "--key" not in raised.value.message
    assert "livesegments up" in raised.value.advice


def test_every_fault_of_a_problem_is_shown_with_its_pointer(capsys: pytest.CaptureFixture[str]) -> None:
    faults = [
        {"pointer": f"/definition/of/{i}/op", "code": "op", "message": f"no such op {i}"} for i in range(2)
    ]
    body = {"title": "Invalid", "detail": "2 faults", "errors": faults}
    output.problem(problem_of(refusal(422, msgspec.json.encode(body), None)))
    said = capsys.readouterr().err
    assert "error: 2 faults" in said
    assert all(fault["pointer"] in said and fault["message"] in said for fault in faults)
    assert "next:" in said


def test_an_answer_that_is_no_problem_document_is_quoted() -> None:
    assert problem_of(refusal(502, b"<html>bad gateway", None)).message == "HTTP 502: <html>bad gateway"


def test_lines_are_told_apart_and_given_an_id() -> None:
    segment, own = (
        item_of(1, b'{"type":"track","messageId":"m"}', "run"),
        item_of(2, b'{"profile":"p","name":"n"}', "run"),
    )
    assert segment == Item("segment", 1, b'{"type":"track","messageId":"m"}')
    assert own == Item("own", 2, b'{"profile":"p","name":"n","id":"run:000000000002"}')


@pytest.mark.parametrize(
    "line", [b"{}", b'{"id":null}', b'{"type":"page"}', b'{"type":"page","messageId":null}']
)
def test_ids_that_are_given_sort_like_the_lines(line: bytes) -> None:
    found = [item_of(number, line, "run") for number in (9, 10, 100)]
    bodies = [msgspec.json.decode(item.body) for item in found if isinstance(item, Item)]
    ids = [body.get("id") or body.get("messageId") for body in bodies]
    assert len({*ids}) == 3 and ids == sorted(ids)


def test_a_line_stays_as_it_was_written_but_for_its_id() -> None:
    item = item_of(1, b'{"n": 1.50, "m": 1e2, "big": 123456789012345678901234567890 }', "r")
    assert isinstance(item, Item)
    assert item.body == b'{"n": 1.50, "m": 1e2, "big": 123456789012345678901234567890 ,"id":"r:000000000001"}'


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "malformed"),
        (b"[]", "malformed"),
        (b"7", "malformed"),
        (b'{"a":"\xff"}', "malformed"),
        (b"[" * 200_000, "malformed"),
        (b"x" * (MAX_BATCH_BYTES + 1), "too_long"),
    ],
    ids=["cut", "list", "number", "no UTF-8", "deep", "long"],
)
def test_what_is_no_event_is_refused_before_it_is_sent(line: bytes, code: str) -> None:
    found = item_of(5, line, "run")
    assert isinstance(found, Refused) and (found.line, found.code) == (5, code) and found.reason


def lag(
    end: int,
    applied: int,
    outbox: int = 0,
    revision: int = 3,
    inbound: int = 0,
    due: int = 0,
    handing: int = 0,
) -> settle.Lag:
    part = settle.Partition(0, end, applied, outbox, revision, due=due, handing=handing)
    return settle.Lag([part], inbound, 3)


def test_settled_is_measured_against_the_ends_at_its_start() -> None:
    wanted = lag(end=10, applied=4)
    assert settle.behind(wanted, wanted) == ["6 packed records to apply"]
    assert settle.behind(lag(end=99, applied=10), wanted) == []
    assert settle.behind(lag(10, 10, outbox=2), wanted) == ["2 commits to announce"]
    assert settle.behind(lag(10, 10, due=5), wanted) == ["5 due times to fire"]
    assert settle.behind(lag(10, 10, revision=2), wanted) == ["1 partitions to adopt the catalogue"]
    assert settle.behind(lag(10, 10, inbound=1), wanted) == ["1 inbound records to accept"]
    assert settle.behind(lag(10, 10, handing=1), wanted) == ["1 commits with merged profiles to hand over"]


@pytest.mark.parametrize("kind", ["inbound", "handing"])
def test_settled_waits_for_records_that_were_still_to_come_into_the_log(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end is read before what feeds it. So the reading in which nothing feeds any more may not have the last
    record that was fed; the one after it does."""
    feeding: dict[str, Any] = {kind: 1}
    readings = [
        lag(10, 10, **feeding), lag(10, 10), lag(12, 10), lag(12, 11), lag(12, 12), lag(99, 12)
    ]  # fmt: skip
    seen: list[settle.Lag] = []

    def read(_: object) -> settle.Lag:
        seen.append(readings[len(seen)])
        return seen[-1]

    monkeypatch.setattr(settle, "read", read)
    monkeypatch.setattr(settle, "POLL_S", 0)
    assert settle.wait(cast(Any, None)).partitions[0].applied == 12
    assert len(seen) == 5


def test_a_sparkline_has_one_bar_a_stretch_of_the_log() -> None:
    assert sparkline([0, 1, 4, 8]) == " ▁▄█"
    state = State("t", "UTC", start_ms=0, end_ms=3_200, total=1, rows={"s": Row("s")})
    for clock_ms, size in ((0, 1), (50, 2), (350, 9)):
        state.clock_ms, state.rows["s"].size = clock_ms, size
        state.sample()
    assert state.rows["s"].sizes == [2, 9, 9, 9]


@pytest.mark.parametrize("columns", [80, 110, 200])
def test_the_live_picture_fits_its_terminal(columns: int) -> None:
    sizes = list(range(100, 132))
    rows = {name: Row(name, 23_570, 123_456, 99_999, sizes) for name in ("A big box, then silence", "b")}
    state = State("t", "UTC", 0, 1, 69_659, rows, clock_ms=1, applied=69_659, rate=12_345.0, lag="8 to apply")
    console = Console(width=columns, record=True, file=io.StringIO())
    console.print(render(state, columns))
    lines = console.export_text().splitlines()
    assert len(lines) == 4 + len(rows)
    assert lines[0].strip() == "t" and "exited" in lines[3] and "−99,999" in lines[4]


def test_a_narrow_sparkline_ends_with_the_newest_size() -> None:
    assert sparkline([*[0] * 31, 8], 8) == "       █"
    assert sparkline([8], 8) == "█" and sparkline([], 8) == ""


SHOWN: dict[str, Any] = {
    "id": "a",
    "type": "static",
    "name": "A",
    "description": "",
    "tags": [],
    "definition": None,
    "count": 7,
}


def test_an_edit_asks_for_what_is_not_so_already() -> None:
    assert changes(SHOWN, SHOWN, "f") == {}
    assert changes({**SHOWN, "name": "B", "count": 3}, SHOWN, "f") == {"name": "B"}
    assert changes({"tags": None, "surplus": 1}, SHOWN, "f") == {"tags": None, "surplus": 1}
    for wrong in ({"id": "b"}, {"type": "dynamic"}, [SHOWN]):
        with pytest.raises(Problem) as raised:
            changes(wrong, SHOWN, "f")
        assert raised.value.advice


def test_what_a_name_has_in_brackets_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    output.table("profile [x]", ("name",), [("[bold]y",)])
    assert "profile [x]" in (told := capsys.readouterr().out) and "[bold]y" in told


@pytest.mark.parametrize(
    ("status", "detail", "advice"),
    [
        (404, "There is no segment 'a' here.", "segments list"),
        (404, "There is no profile 'a' here.", "settle"),
        (404, "There is no workspace 'a' here.", "admin key"),
        (403, "This needs an admin key.", "--key"),
    ],
)
def test_what_to_do_next_fits_what_went_wrong(status: int, detail: str, advice: str) -> None:
    body = {"title": "T", "status": status, "detail": detail}
    problem = problem_of(refusal(status, msgspec.json.encode(body), None))
    assert problem.message == detail and advice in problem.advice
