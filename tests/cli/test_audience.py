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
