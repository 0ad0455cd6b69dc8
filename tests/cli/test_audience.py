"""`livesegments audience`: options become the audience of the api; pages are followed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from livesegments.cli.problem import Problem
from tests.cli.run import Answers, run

OPTIONS = (
    *("-i", "kyiv", "-i", "lviv", "--match-all", "-x", "staff", "--channel", "email"),
    *("--bucket", "spring:0-12.5"),
)
AUDIENCE = {
    "include": ["kyiv", "lviv"],
    "exclude": ["staff"],
    "match": "all",
    "consent": {"channel": "email", "state": "opted_in"},
    "bucket": {"salt": "spring", "from": 0.0, "to": 12.5},
}


async def test_options_are_an_audience(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(POST={"count": 1_200, "advice": {"size": "standard", "parts": 1}, "warnings": []})
    assert await run(answers, "audience", "count", *OPTIONS) == 0
    assert answers.asked[-1].body == {"audience": AUDIENCE}
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("1,200\n", "a standard send\n")


async def test_members_of_a_file_with_their_values(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "audience.json"
    file.write_text(json.dumps(AUDIENCE))
    ann = {"profile": "ann", "fields": {"email": "ann@example.com"}}
    answers = Answers(POST={"members": ["ann"], "fields": [ann], "next_cursor": None, "warnings": []})
    given = ("audience", "members", "-f", str(file), "--field", "email", "--all")
    assert await run(answers, *given, "--json") == 0
    assert answers.asked[-1].body == {"audience": AUDIENCE, "limit": 10_000, "fields": ["email"]}
    assert json.loads(capsys.readouterr().out) == ann


async def test_parts(capsys: pytest.CaptureFixture[str]) -> None:
    parts = [{"audience": AUDIENCE, "count": count} for count in (3, 4)]
    assert await run(Answers(POST={"parts": parts, "count": 7}), "audience", "split", "-i", "kyiv") == 0
    assert capsys.readouterr().out.split() == ["part", "profiles", "1", "3", "2", "4"]


async def test_what_is_no_audience_is_said() -> None:
    for given, message in (((), "includes no segment"), (("-i", "a", "--bucket", "x"), "'x' is no bucket")):
        with pytest.raises(Problem, match=message):
            await run(Answers(), "audience", "count", *given)


async def test_a_frozen_audience_and_its_changes(capsys: pytest.CaptureFixture[str]) -> None:
    made = {
        "token": "t1",
        "state": "ready",
        "reason": None,
        "count": 2,
        "expires_at": "2026-01-01T00:00:00.000Z",
    }
    page = {"members": ["ann"], "next_cursor": None, "warnings": []}
    answers = Answers(
        **{
            "POST /v1/audiences/frozen": made,
            "GET /v1/audiences/frozen/t1/members": page,
            "GET /v1/audiences/frozen/t1/changes": {"profiles": ["bob"], "next_cursor": None},
        }
    )
    assert await run(answers, "audience", "freeze", "-i", "kyiv", "--lifetime", "60") == 0
    assert answers.asked[0].body["lifetime_s"] == 60
    assert await run(answers, "audience", "members", "--token", "t1") == 0
    assert await run(answers, "audience", "changes", "t1") == 0
    printed = capsys.readouterr()
    assert printed.out.split() == ["t1", "ann", "bob"]
    assert "2 profiles, until 2026-01-01 01:00:00 (Europe/Berlin)" in printed.err
    failed = made | {"state": "failed", "reason": "it has more than 5 profiles"}
    with pytest.raises(Problem, match="more than 5 profiles"):
        await run(Answers(POST=failed), "audience", "freeze", "-i", "kyiv")


async def test_an_audience_is_saved_as_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    job = {"id": "j", "state": "done", "reason": None, "done": 3, "total": 3, "added": 2, "removed": 1}
    answers = Answers(POST=job)
    assert await run(answers, "audience", "save", "staff", "-i", "kyiv", "--replace") == 0
    body = answers.asked[-1].body
    assert (body["segment"], body["how"], body["audience"]["include"]) == ("staff", "replace", ["kyiv"])
    assert capsys.readouterr().err == "2 put on the list of staff, 1 taken off it\n"
