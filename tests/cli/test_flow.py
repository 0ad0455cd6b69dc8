"""`livesegments flow`, `overlap` and `was`: tables for people, the api's JSON for machines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from livesegments.cli.problem import Problem
from tests.cli.run import Answers, run, told

FLOW: dict[str, Any] = {
    "segment": "s",
    "at": "2026-01-02T00:00:00.000Z",
    "days": [
        {"day": "2026-01-01", "entered": 1200, "exited": 0, "size": 1200,
         "causes": [{"cause": "event", "entered": 1200, "exited": 0}]},
        {"day": "2026-01-02", "entered": 0, "exited": 600, "size": 600,
         "causes": [{"cause": "clock", "entered": 0, "exited": 600}]},
    ],
}  # fmt: skip
OVERLAP = {
    "union": 14,
    "groups": [
        {"segments": ["a"], "count": 10},
        {"segments": ["b"], "count": 8},
        {"segments": ["a", "b"], "count": 4},
    ],
}
WAS = {
    "profile": "ada", "at": "2026-01-01T23:30:00.000Z", "in": True, "since": "2025-12-31T23:00:00.000Z",
    "version": 1, "cause": "event", "event_id": "e1", "why_version": 2,
    "definition": {"type": "not", "of": {"type": "event", "name": "order"}},
    "why": [
        {"pointer": "", "holds": False, "value": None, "events": []},
        {"pointer": "/of", "holds": True, "value": 2, "events": [
            {"id": "e1", "name": "order", "time": "2025-12-31T23:00:00.000Z", "properties": {"total": 5}}]},
    ],
}  # fmt: skip


async def test_a_flow_is_a_plot(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(GET=FLOW)
    assert await run(answers, "flow", "s", "--days", "2") == 0
    assert answers.paths("GET") == ["/v1/segments/s/flow?days=2"]
    first, second = told(capsys)[0].splitlines()[-2:]
    assert first.split() == ["2026-01-01", "+1,200", "1,200", "█" * 30, "event", "+1,200"]
    assert second.split() == ["2026-01-02", "−600", "600", "█" * 15, "clock", "−600"]
    assert await run(Answers(GET=FLOW), "flow", "s", "--json") == 0
    assert json.loads(told(capsys)[0]) == FLOW


async def test_an_overlap_says_how_much_of_the_smaller_one_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(GET=OVERLAP)
    assert await run(answers, "overlap", "a", "b") == 0
    assert answers.paths("GET") == ["/v1/overlap?segment=a&segment=b"]
    out = told(capsys)[0].splitlines()
    assert out[-2].split() == ["a", "and", "b", "4", "50%"]
    assert out[-1] == "in at least one: 14"
    with pytest.raises(Problem):
        await run(answers, "overlap", "a")


async def test_was_says_why_and_by_which_events(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(GET=WAS)
    assert await run(answers, "was", "ada", "s", "--at", "2026-01-01T23:30:00Z") == 0
    out = [line.strip() for line in told(capsys)[0].splitlines()]
    since = "since 2026-01-01 00:00:00 (version 1, event)"
    assert out[0].startswith(f"ada was in s on 2026-01-02 00:30:00, {since}")
    assert out[1] == "version 2 of the definition saw:"
    assert out[2:] == [
        "✗ not",
        '✓ event {"name":"order"}  ← 2',
        '2026-01-01 00:00:00  e1  {"total":5}',
    ]


async def test_versions_are_listed_and_the_past_asked_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    since = "2026-01-01T23:30:00.000Z"
    one = {"version": 1, "since": since, "until": since, "by": None, "definition": {"type": "not"}}
    two = one | {"version": 2, "until": None, "by": "backend", "definition": None}
    answers = Answers(GET={"versions": [two, one]})
    assert await run(answers, "segments", "versions", "s") == 0
    out = told(capsys)[0]
    for part in ("backend", "now", "a list", '{"type":"not"}', "2026-01-02 00:30:00"):
        assert part in out, part
    answers = Answers(GET={"members": ["ann"], "next_cursor": None})
    assert await run(answers, "members", "s", "--as-of", since, "--version", "1", "--served") == 0
    (path,) = answers.paths("GET")
    assert "version=1" in path and "definition=served" in path
