"""Ids of every kind, in every command that takes one."""

from typing import Any
from urllib.parse import unquote

import pytest

from livesegments.cli.problem import Problem
from tests.cli.run import Answers, run, told
from tests.cli.server import Answer

IDS = [".", "..", "a/b", "../etc", "a b", "🦄", "100%", "%2e", "a?b#c", "naïve+x", "a\\b"]
CHECKED = {"profile": "p", "in": True, "entered_at": "2026-01-31T23:30:00.000Z", "valid_until": None}
PROFILE: dict[str, Any] = {"attributes": {}, "tags": [], "consent": [], "segments": []}


@pytest.mark.parametrize("id_", IDS)
async def test_a_profile_is_asked_for_by_its_own_id(id_: str) -> None:
    answers = Answers(GET=PROFILE)
    await run(answers, "profile", "--", id_)
    (path,) = answers.paths("GET")
    start = "/v1/profiles/"
    assert path.startswith(start) and "." not in path and path.count("/") == 3
    assert unquote(path.removeprefix(start)) == id_


@pytest.mark.parametrize("id_", IDS)
async def test_membership_is_checked_by_its_own_id(id_: str, capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(GET=CHECKED)
    await run(answers, "check", "--", id_, "buyers")
    (path,) = answers.paths("GET")
    assert unquote(path.removeprefix("/v1/segments/buyers/members/")) == id_ and path.count("/") == 5
    assert f"{id_} is in buyers since 2026-02-01 00:30:00 (Europe/Berlin)" in told(capsys)[0]


@pytest.mark.parametrize("id_", IDS)
@pytest.mark.parametrize(("option", "method"), [("--show", "GET"), ("--replay", "POST")])
async def test_a_refusal_is_asked_for_by_its_own_id(option: str, method: str, id_: str) -> None:
    shown = {"raw": "", "event": "e", "profile": "p"}
    answers = Answers(**{method: shown})
    if "/" in id_:
        with pytest.raises(Problem, match="There is no"):
            await run(answers, "rejected", f"{option}={id_}")
        return
    await run(answers, "rejected", f"{option}={id_}")
    (path,) = answers.paths(method)
    assert "." not in path and unquote(path.removesuffix("/replay")) == f"/v1/rejected/{id_}"


VERBS = [
    ["segments", "show"],
    ["segments", "delete"],
    ["members"],
    ["count"],
    ["workspaces", "edit", "--name", "n"],
    ["keys", "delete", "-w", "w"],
    ["keys", "list", "-w"],
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("id_", IDS)
async def test_a_segment_workspace_or_key_is_asked_for_by_its_own_id_or_is_not_there(
    verb: list[str], id_: str
) -> None:
    missing = {"title": "Not Found", "status": 404, "detail": "There is no such thing here."}
    answers = Answers(**{method: Answer(404, missing) for method in ("GET", "DELETE", "PATCH")})
    with pytest.raises(Problem) as raised:
        await run(answers, *verb, id_) if verb[-1] == "-w" else await run(answers, *verb, "--", id_)
    assert raised.value.status in (404, None)
    for asked in answers.asked:
        assert unquote(asked.path).count(id_) == 1 and "." not in asked.path


@pytest.mark.parametrize("verb", [["profile"], ["members"], ["count"], ["segments", "show"]], ids=" ".join)
async def test_an_empty_id_is_refused(verb: list[str]) -> None:
    with pytest.raises(Problem, match="empty"):
        await run(answers := Answers(), *verb, "")
    assert not answers.asked


async def test_a_workspace_or_key_that_no_header_can_carry_is_not_there() -> None:
    with pytest.raises(Problem, match="no workspace"):
        await run(Answers(), "count", "x", "-w", "🦄")
