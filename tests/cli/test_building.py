"""`segments create --wait`, `edit --wait`, `show --watch` and `cancel`: the api's answers decide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.run import Answers, run, told
from tests.cli.server import Answer, Request

SEGMENT: dict[str, Any] = {
    "id": "s", "name": "S", "description": "", "tags": [], "type": "static", "count": 7, "complete_since": None,
    "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    "version": 2, "definition_version": 2, "definition": None,
}  # fmt: skip


class Building(Answers):
    """A segment that is ready when it is asked about for the third time."""

    def __call__(self, request: Request) -> Answer:
        if request.method == "GET" and request.path == "/v1/segments/s":
            self.asked.append(request)
            done = len(self.paths("GET"))
            progress = {"done": done * 10, "total": 30, "estimated_end": None}
            return Answer(
                200, {**SEGMENT, "state": "ready" if done >= 3 else "building", "progress": progress}
            )
        return super().__call__(request)


async def test_show_waits_until_it_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Building()
    assert await run(answers, "segments", "show", "s", "--watch", "--json") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "ready"
    assert len(answers.paths("GET")) == 4


async def test_cancel_says_what_has_become_of_the_segment(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(DELETE={"cancelled": "edit", "segment": SEGMENT})
    assert await run(answers, "segments", "cancel", "s") == 0
    assert answers.paths("DELETE") == ["/v1/segments/s/build"]
    assert "gone back to the definition that was served: s (S)" in told(capsys)[0]
    assert (
        await run(Answers(DELETE={"cancelled": "segment", "segment": None}), "segments", "cancel", "s") == 0
    )
    assert "deleted, as it was new: s" in told(capsys)[0]


async def test_create_waits_when_it_is_asked_to(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    file = tmp_path / "s.json"
    file.write_text('{"id": "s", "name": "S", "type": "static"}')
    checked = {"results": [{"action": "create", "errors": []}]}
    answers = Building(
        **{"POST /v1/segments/check": checked, "POST /v1/segments": {**SEGMENT, "warnings": []}}
    )
    assert await run(answers, "segments", "create", "-f", str(file), "--wait") == 0
    out, err = told(capsys)
    assert "created s (S)" in out
    assert "s is ready: 7 members" in err
