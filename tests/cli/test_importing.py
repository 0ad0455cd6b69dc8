"""`livesegments import` against an api that answers as a test says."""

from pathlib import Path
from typing import Any

import pytest

from livesegments.cli.problem import Problem
from tests.cli.run import Answers, run
from tests.cli.server import Answer

MADE: dict[str, Any] = {"id": "5f0c", "state": "uploading", "bytes": 0}
REFUSED = Answer(422, {"title": "no", "status": 422, "detail": "The file can't be read.", "errors": []})


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("refuses", ["columns", "check", "start"])
async def test_an_import_that_cannot_begin_is_not_left_behind(
    tmp_path: Path, refuses: str, dry_run: bool
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("7")  # the server that answers reads JSON alone
    columns = {"columns": [{"name": "a", "declared": None, "type": "text"}]}
    answers = Answers(
        **{
            "POST /v1/imports": MADE,
            "PUT /v1/imports/5f0c/file": {"bytes": 1},
            "POST /v1/imports/5f0c/columns": REFUSED if refuses == "columns" else columns,
            "POST": REFUSED,
            "DELETE /v1/imports/5f0c": MADE,
        }
    )
    with pytest.raises(Problem, match="can't be read"):
        await run(answers, "import", str(file), "--id-column", "id", *(["--dry-run"] if dry_run else []))
    assert answers.paths("DELETE") == ["/v1/imports/5f0c"]


async def test_an_empty_file_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "empty.csv"
    file.touch()
    answers = Answers()
    with pytest.raises(Problem, match="is empty"):
        await run(answers, "import", str(file), "--id-column", "id")
    with pytest.raises(Problem, match="can't be read: No such file"):
        await run(answers, "import", str(tmp_path / "none.csv"), "--id-column", "id")
    assert not answers.paths("POST")
