"""`livesegments export`: a download that breaks off goes on, and what is there already isn't read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from livesegments.cli.problem import Problem
from tests.cli.run import Answers, run
from tests.cli.server import Answer, Request

DONE: dict[str, Any] = {
    "id": "e1", "segment": "s", "state": "done", "rows": 2, "bytes": 10, "building": ["spent"], "error": None,
    "progress": {"done": 2, "total": 2}, "file": "/v1/segments/s/exports/e1/file",
}  # fmt: skip


class Gone(Answers):
    """The file is gone; notes which part of it was asked for."""

    def __init__(self) -> None:
        super().__init__(POST=DONE, GET=DONE)
        self.ranges = list[str]()

    def __call__(self, request: Request) -> Answer:
        if not request.path.endswith("/file"):
            return super().__call__(request)
        self.ranges.append(request.headers.get("range", ""))
        return Answer(410, {"title": "Gone", "detail": "The file is gone."})


async def test_the_fields_and_the_form_are_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(POST={**DONE, "bytes": 0}, GET=DONE)
    file = tmp_path / "a.ndjson"
    options = ["--fields", 'a,"b,c"', "--fields", "d", "--include", "tags,entered_at"]
    assert await run(answers, "export", "s", "-o", str(file), *options) == 0
    (asked,) = [each for each in answers.asked if each.method == "POST"]
    assert (asked.path, asked.body) == (
        "/v1/segments/s/exports",
        {
            "format": "ndjson", "fields": ["a", "b,c", "d"], "include": ["tags", "entered_at"],
            "entered_since": None, "updated_since": None,
        },
    )  # fmt: skip
    told = capsys.readouterr()
    assert f"{file}: 2 members, 0 bytes" in (told.out + told.err).replace("\n", "")
    assert "some rows lack computed:spent" in told.err
    assert file.read_bytes() == b""


async def test_what_is_there_of_the_same_export_is_not_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = Gone()
    file = tmp_path / "a.csv"
    (tmp_path / "a.csv.part").write_bytes(b"1234")
    (tmp_path / "a.csv.part.export").write_text('"e1-1"')
    with pytest.raises(Problem, match="gone"):
        await run(answers, "export", "s", "-o", str(file), "--resume", "e1")
    assert answers.ranges == ["bytes=4-"]
    assert (tmp_path / "a.csv.part").read_bytes() == b"1234"
    assert f"go on with: livesegments export s -o {file} --resume e1" in capsys.readouterr().err.replace(
        "\n", ""
    )
    (tmp_path / "a.csv.part.export").write_text("another")
    with pytest.raises(Problem, match="gone"):
        await run(answers, "export", "s", "-o", str(file))
    assert answers.ranges == ["bytes=4-", ""]
    assert (tmp_path / "a.csv.part").read_bytes() == b""


async def test_an_export_that_failed_says_why(tmp_path: Path) -> None:
    failed = {**DONE, "state": "failed", "error": "The file has more than 1 MiB."}
    with pytest.raises(Problem, match="more than 1 MiB"):
        await run(Answers(POST=failed), "export", "s", "-o", str(tmp_path / "a.csv"))
