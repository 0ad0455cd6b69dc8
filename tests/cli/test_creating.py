"""`segments create` and `edit` against an api that answers as a test says."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from livesegments.cli import files
from livesegments.cli.main import app
from livesegments.cli.problem import Problem
from tests.cli.run import Answers, run, told

SEGMENT: dict[str, Any] = {
    "id": "a",
    "type": "dynamic",
    "name": "A",
    "description": "",
    "tags": [],
    "definition": {"type": "tag", "name": "t"},
}
WARNING = {"pointer": "/definition/name", "code": "unseen", "message": "did you mean 'vip'?"}
CHECK = "POST /v1/segments/check"
MAKE = "POST /v1/segments"


def check(action: str = "create", *errors: object) -> dict[str, Any]:
    return {"id": "a", "action": action, "errors": list(errors), "warnings": []}


def written(tmp_path: Path, body: object) -> str:
    file = tmp_path / "f.json"
    file.write_text(body if isinstance(body, str) else json.dumps(body))
    return str(file)


async def test_nothing_is_created_where_one_has_a_fault(tmp_path: Path) -> None:
    fault = {"pointer": "/definition/op", "code": "unknown_value", "message": "no such op"}
    answers = Answers(**{CHECK: {"results": [check(), check("create", fault)]}, MAKE: SEGMENT})
    with pytest.raises(Problem) as raised:
        await run(answers, "segments", "create", "-f", written(tmp_path, [SEGMENT, {"id": "b"}]))
    assert "segment 2 (b) of 2; nothing was created" in raised.value.message
    assert [each.pointer for each in raised.value.faults] == ["/1/definition/op"]
    assert answers.paths("POST") == ["/v1/segments/check"]


async def test_a_definition_by_itself_is_a_new_definition_and_no_new_segment(tmp_path: Path) -> None:
    new = {"type": "event", "name": "buy"}
    answers = Answers(**{"GET": {**SEGMENT, "version": 3}, "PATCH": {**SEGMENT, "definition": new}})
    await run(answers, "segments", "edit", "a", "-f", written(tmp_path, new))
    assert [each.body for each in answers.asked if each.method == "PATCH"] == [{"definition": new}]
    with pytest.raises(Problem, match="a segment needs a name as well"):
        await run(Answers(), "segments", "create", "-f", written(tmp_path, new))


async def test_what_is_there_is_edited_or_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = {**SEGMENT, "version": 3}
    results = [check("edit"), check("none"), check()]
    answers = Answers(
        **{CHECK: {"results": results}, MAKE: {**SEGMENT, "id": "c"}, "GET": there, "PATCH": SEGMENT}
    )
    bodies = [{**SEGMENT, "name": "B"}, SEGMENT, {**SEGMENT, "id": "c"}]
    await run(answers, "segments", "create", "--upsert", "-f", written(tmp_path, bodies))
    assert told(capsys)[0].split("\n") == ["edited a (A)", "unchanged: a (A)", "created c (A)", ""]
    (edit,) = [each for each in answers.asked if each.method == "PATCH"]
    assert edit.body == {"name": "B"} and edit.headers["if-match"] == '"3"'
    assert answers.asked[0].body["upsert"] is True


async def test_a_dry_run_only_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(**{CHECK: {"results": [{**check(), "warnings": [WARNING]}]}})
    await run(answers, "segments", "create", "--dry-run", "-f", written(tmp_path, SEGMENT))
    out, err = told(capsys)
    assert "segment 1 would be created" in out and "did you mean 'vip'?" in err
    assert answers.paths("POST") == ["/v1/segments/check"]


async def test_warnings_of_the_api_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = {**SEGMENT, "warnings": [WARNING]}
    there = {**SEGMENT, "version": 3}
    answers = Answers(**{CHECK: {"results": [check()]}, MAKE: made, "GET": there, "PATCH": made})
    await run(answers, "segments", "create", "-f", written(tmp_path, SEGMENT))
    await run(answers, "segments", "edit", "a", "-f", written(tmp_path, {"name": "B"}))
    said = told(capsys)[1]
    assert said.count("warning: /definition/name  did you mean 'vip'? [unseen]") == 2


async def test_an_empty_array_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="has no segment"):
        await run(answers := Answers(), "segments", "create", "-f", written(tmp_path, []))
    assert not answers.asked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"name": "A", "name": "B"}', "has a key twice"),
        ('{"definition": {"of": [{"op": "eq", "op": "lt"}]}}', "has a key twice"),
        ('{"value": NaN}', "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=["twice", "twice within", "NaN", "cut", "deep"],
)
@pytest.mark.parametrize("verb", [["create"], ["edit", "a"]], ids=["create", "edit"])
async def test_a_file_with_a_fault_is_refused(text: str, said: str, verb: list[str], tmp_path: Path) -> None:
    with pytest.raises(Problem, match=said):
        await run(answers := Answers(), "segments", *verb, "-f", written(tmp_path, text))
    assert not answers.asked


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b'\xef\xbb\xbf{"n": 1234567890123456789, "x": 1.5, "s": "\\u00e9"}')
    assert files.read(str(file)) == {"n": 1234567890123456789, "x": 1.5, "s": "é"}


def test_a_key_that_stands_twice_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(Problem) as raised:
        files.read(written(tmp_path, '[{"a": {"b": 1, "b": 2}}]'))
    (fault,) = raised.value.faults
    assert fault.pointer == "/0/a/b"


async def test_many_are_created_by_one_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bodies = [{**SEGMENT, "id": f"s{number}"} for number in range(60)]
    made = [
        {"id": each["id"], "name": "A", "version": 1, "action": "create", "warnings": [WARNING]}
        for each in bodies
    ]
    answers = Answers(**{"POST /v1/segments:batch": {"segments": made}})
    await run(answers, "segments", "create", "-f", written(tmp_path, bodies))
    assert answers.paths("POST") == ["/v1/segments:batch"]
    assert answers.asked[0].body == {"segments": bodies, "upsert": False}
    out, err = told(capsys)
    assert out.splitlines()[-1] == "created s59 (A)"
    assert err.splitlines()[-1] == "warning: s59  /definition/name  did you mean 'vip'? [unseen]"


def test_the_help_of_edit_says_what_its_file_takes() -> None:
    shown = CliRunner().invoke(app, ["segments", "edit", "--help"], env={"COLUMNS": "200"}).output
    words = " ".join(shown.split())
    assert "any of `name`, `description`, `tags`, `folder`, `topics` and `definition`" in words
    assert "the file that the segment was created from" in words


async def test_an_address_that_is_empty_is_not_one_that_is_missing() -> None:
    answers = Answers(**{"POST /v1/subscriptions": {"id": "s", "segments": ["a"], "secret": None}})
    await run(answers, "subscriptions", "create", "S", "--url", "")
    assert [each.body["webhook"]["url"] for each in answers.asked if each.method == "POST"] == [""]
