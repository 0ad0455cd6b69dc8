"""`livesegments profiles`: 1,000 a request, and who isn't known is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from livesegments.cli.problem import Problem
from tests.cli.run import Answers, run

ANN = {"profile": "ann", "fields": {"email": "ann@example.com"}}
FOUND = {
    "profiles": [ANN],
    "unknown": ["nobody"],
    "warnings": [],
}


async def test_ids_of_a_file_are_read_in_requests_of_a_thousand(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "ids"
    file.write_text("".join(f"p{at}\n" for at in range(1_001)))
    answers = Answers(POST=FOUND)
    assert await run(answers, "profiles", "ann", "-f", str(file), "--field", "email", "--json") == 0
    bodies = [each.body for each in answers.asked if each.method == "POST"]
    assert [len(body["profiles"]) for body in bodies] == [1_000, 2]
    assert bodies[0]["profiles"][:2] == ["ann", "p0"] and bodies[0]["fields"] == ["email"]
    printed = capsys.readouterr()
    assert [json.loads(line) for line in printed.out.splitlines()] == [ANN] * 2
    assert "2 of these ids are no profile's: nobody" in printed.err


async def test_somebody_must_be_named() -> None:
    with pytest.raises(Problem, match="no profile is named"):
        await run(Answers(POST=FOUND), "profiles")


async def test_a_profile_that_is_to_go_into_itself_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(Problem, match="can't go into itself"):
        await run(answers := Answers(), "merge", "ann", "ann")
    assert not answers.asked
