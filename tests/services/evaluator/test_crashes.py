"""Crashes are counted by their cause, over restarts."""

from __future__ import annotations

from pathlib import Path

from livesegments.evaluator.faults import crashes
from livesegments.runtime import metrics
from livesegments.store.client import Away


class Strange(Exception):
    """Neither Python's nor ours."""


def counted(cause: str) -> float:
    return float(metrics.CRASHES.labels(cause)._value.get())


def test_a_crash_is_counted_by_its_cause_and_by_the_next_process_too(tmp_path: Path) -> None:
    before = {cause: counted(cause) for cause in ("KeyError", "Away", "other")}
    for error in (KeyError("x"), KeyError("y"), Away("z"), Strange("a"), Strange("b")):
        crashes.remember(tmp_path / "data", error)
    crashes.recall(tmp_path / "data")
    found = {cause: counted(cause) - was for cause, was in before.items()}
    assert found == {"KeyError": 4, "Away": 2, "other": 4}


def test_a_file_that_nobody_can_read_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / crashes.FILE).write_bytes(b"not JSON")
    crashes.recall(tmp_path)
    crashes.remember(tmp_path, OSError("x"))
    assert (tmp_path / crashes.FILE).read_bytes() == b'{"OSError":1}'
