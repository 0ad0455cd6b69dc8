"""What people see of what waits or is under way: lag, jobs of lists, exports, frozen audiences; and their own key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from livesegments.cli.problem import Problem
from tests.cli.run import Answers, run, told

AT = "2026-06-30T22:30:00.000Z"
WAITING = {"due": 7, "outbox": 1, "recounts": 2}
PARTITION = {"partition": 0, "end": 1_234, "applied": 34, "revision": 0, "clock": AT, **WAITING}
JOB = {
    "id": "j1", "segment": "staff", "how": "replace", "state": "running", "reason": "a store is away", "done": 5, "total": 9,
    "added": 3, "removed": 2,
}  # fmt: skip
EXPORT = {"id": "e1", "state": "done", "format": "csv", "rows": 1_500, "bytes": 12, "kept_until": AT}
FROZEN = {
    "token": "t1",
    "state": "ready",
    "audience": {"include": ["kyiv", "lviv"]},
    "count": 4,
    "expires_at": AT,
}


@pytest.mark.parametrize(
    ("arguments", "answer", "shown"),
    [
        (["lag"], {"partitions": [PARTITION], "inbound": 3, "revision": 0}, ["1,200", "7", "2026-06-30 22:30:00", "3 records"]),
        (["lag", "--course"], {"points": [{"at": AT, "records": 8, "inbound": 4, **WAITING}]}, ["2026-06-30 22:30:00", "8", "4"]),
        (["list-jobs", "list"], {"jobs": [JOB]}, ["j1", "staff", "replace", "running", "5", "9", "3", "2"]),
        (["list-jobs", "show", "j1"], JOB, ["a store is away", "9"]),
        (["exports", "list", "vips"], {"exports": [EXPORT]}, ["e1", "1,500", "2026-07-01 00:30:00", "(Europe/Berlin)"]),
        (["audience", "frozen"], {"frozen": [FROZEN]}, ["t1", "kyiv, lviv", "4", "2026-07-01 00:30:00"]),
        (["keys", "own"], {"admin": False, "workspace": "shop", "scopes": ["read", "write"]}, ["shop", "read, write"]),
        (["keys", "own"], {"admin": True, "workspace": None, "scopes": ["read"]}, ["all of them"]),
    ],
)  # fmt: skip
async def test_what_there_is_is_shown(
    arguments: list[str], answer: Any, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    await run(Answers(GET=answer), *arguments)
    out, err = told(capsys)
    for part in shown:
        assert part in out + err, part


@pytest.mark.parametrize(
    ("arguments", "answer", "said"),
    [
        (["lag", "--course"], {"points": []}, "nothing was written down yet"),
        (["list-jobs", "list"], {"jobs": []}, "none of the last day"),
        (["exports", "list", "vips"], {"exports": []}, "`livesegments export vips -o FILE` makes one"),
        (["audience", "frozen"], {"frozen": []}, "`livesegments audience freeze` freezes one"),
    ],
)
async def test_where_there_is_none_that_is_said(
    arguments: list[str], answer: Any, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(Answers(GET=answer), *arguments)
    assert said in told(capsys)[1]


async def test_each_is_ended_by_its_id() -> None:
    answers = Answers()
    await run(answers, "list-jobs", "cancel", "j1")
    await run(answers, "exports", "delete", "vips", "e1")
    await run(answers, "audience", "release", "t1")
    assert answers.paths("DELETE") == [
        "/v1/list-jobs/j1",
        "/v1/segments/vips/exports/e1",
        "/v1/audiences/frozen/t1",
    ]


async def test_a_list_is_replaced_by_at_most_a_thousand_and_never_by_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = Answers(PUT={"added": 1, "removed": 2})
    await run(answers, "segments", "replace", "staff", "ann", "bob", "ann")
    assert answers.asked[-1].body == {"profiles": ["ann", "bob"]}
    assert told(capsys)[1] == "1 put on the list of staff, 2 taken off it\n"
    file = tmp_path / "ids"
    file.write_text("")
    with pytest.raises(Problem, match="nobody would be left"):
        await run(answers, "segments", "replace", "staff", "--file", str(file))
    file.write_text("".join(f"p{number}\n" for number in range(1_001)))
    with pytest.raises(Problem, match="at most 1,000"):
        await run(answers, "segments", "replace", "staff", "--file", str(file))
    with pytest.raises(Problem, match="no profile is named"):
        await run(answers, "segments", "replace", "staff")
