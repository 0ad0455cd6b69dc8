"""`livesegments computed put`: the file is sent as it is, and what isn't an object is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from livesegments.cli.computed import put
from livesegments.cli.problem import Problem
from tests.cli.run import Answers, run


def test_a_file_that_is_no_object_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("[1]")
    with pytest.raises(Problem, match="no JSON object"):
        put("spent", str(file))


async def test_an_id_with_a_slash_is_of_nothing() -> None:
    with pytest.raises(Problem, match="no computed attribute 'a/b'") as raised:
        await run(answers := Answers(), "computed", "show", "a/b")
    assert not answers.asked and "computed list" in raised.value.advice
