"""`livesegments forecast`: a table for people, the api's JSON for machines."""

from __future__ import annotations

import json

import pytest

from tests.cli.run import Answers, run

AT = "2026-01-31T23:30:00.000Z"
SAID = {
    "segment": "regulars",
    "at": AT,
    "looked_at": 20_000,
    "of": 50_000,
    "ahead": [
        {"within": "24h", "until": AT, "leave": 1200, "leave_margin": 40, "enter": 3, "enter_margin": 0}
    ],
}


async def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(GET=SAID)
    assert await run(answers, "forecast", "regulars") == 0
    assert answers.paths("GET") == ["/v1/segments/regulars/forecast"]
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1].split() == ["24h", "2026-02-01", "00:30:00", "1,200", "±", "40", "3"]
    assert "20,000 of 50,000" in printed.err


async def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(Answers(GET=SAID), "forecast", "regulars", "--json") == 0
    assert json.loads(capsys.readouterr().out) == SAID
