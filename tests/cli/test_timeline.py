"""`livesegments timeline`: a table for people, a moment a line for machines."""

from __future__ import annotations

import json

import pytest

from tests.cli.run import Answers, run

MOMENT = {
    "id": "m-7",
    "name": "order",
    "time": "2026-01-31T23:30:00.000Z",
    "applied_at": "2026-01-31T23:30:00.000Z",
    "properties": {"total": 12.5},
    "event_id": None,
    "cause": None,
    "version": None,
    "sequence": None,
}


async def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(GET={"profile": "a/b", "moments": [MOMENT], "next_cursor": None})
    assert await run(answers, "timeline", "a/b", "--event", "m-7") == 0
    assert answers.paths("GET") == ["/v1/timelines/a%2Fb?event=m-7&limit=50"]
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.split() == ["2026-02-01", "00:30:00", "order", '{"total":12.5}', "m-7"]


async def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(GET={"profile": "a/b", "moments": [MOMENT], "next_cursor": None})
    assert await run(answers, "timeline", "a/b", "--json") == 0
    assert json.loads(capsys.readouterr().out) == MOMENT
