"""Files of checkpoints: as of one commit, read by any Parquet tool, chosen by how far they reach."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from livesegments.history.mark import Mark, Row, newest, resolved
from livesegments.history.ranges import Range
from livesegments.history.workshop import FilesGone, Workshop

MARK = Mark(3, 4711, "9f3c21aa", 900, 1_000, "topic-1", 7, {"{3}:adopted": {"w": "{}"}}, {})


def mark(commit: int, offset: int, topic: str = "topic-1", clock_ms: int | None = None) -> Mark:
    return Mark(3, commit, "a", offset, clock_ms, topic, 7)


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_a_checkpoint_is_of_one_commit(tmp_path: Path) -> None:
    """Bob changed while the scan went on, eve came, and the scan met ann twice."""
    workshop = Workshop(str(tmp_path / "archive"), tmp_path)
    scanned, images = workshop.spool(), workshop.spool()
    scanned.put([("w", "ann", b"a"), ("w", "bob", b"after"), ("w", "eve", b"new")])
    scanned.put([("w", "ann", b"a"), ("x", "ann", b"\xff")])
    images.put([("w", "bob", b"before"), ("w", "eve", None)])
    saved = await workshop.save(MARK, scanned, images)
    scanned.drop()
    images.drop()
    assert (saved.profiles, saved.offset) == (3, 900)
    assert await workshop.marks(3) == [MARK]
    assert await workshop.marks(4) == []
    expected: list[Row] = [("w", "ann", b"a"), ("w", "bob", b"before"), ("x", "ann", b"\xff")]
    assert [batch async for batch in workshop.load(MARK)] == [(3, expected)]
    path = tmp_path / "archive/checkpoints/v1/p=00003/0000000000004711-9f3c21aa.parquet"
    assert pq.read_table(path).column("profile").to_pylist() == ["ann", "bob", "ann"]
    await workshop.forget(3, 0.0, [MARK.name])
    assert path.exists()
    await workshop.forget(3, 3_600.0, [])
    assert path.exists()
    await workshop.forget(3, 0.0, [])
    assert not path.exists()
    with pytest.raises(FilesGone):
        await anext(workshop.load(MARK))
    assert names(tmp_path) == ["archive"], "no spool is left behind"
    await workshop.close()


async def test_a_partition_without_profiles_has_a_checkpoint_too(tmp_path: Path) -> None:
    workshop = Workshop(str(tmp_path / "archive"), tmp_path)
    saved = await workshop.save(MARK, workshop.spool(), workshop.spool())
    assert saved.profiles == 0
    assert [batch async for batch in workshop.load(MARK)] == []
    await workshop.close()


async def test_a_damaged_checkpoint_is_none(tmp_path: Path) -> None:
    workshop = Workshop(str(tmp_path / "archive"), tmp_path)
    await workshop.save(MARK, workshop.spool(), workshop.spool())
    path = tmp_path / "archive/checkpoints/v1/p=00003/0000000000004711-9f3c21aa.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    assert await workshop.marks(3) == []
    with pytest.raises(FilesGone):
        await anext(workshop.load(MARK))
    await workshop.close()


def test_the_checkpoint_that_reaches_furthest_into_this_log_is_taken() -> None:
    marks = [mark(10, 5), mark(7, 9), mark(99, 50, "topic-0"), mark(8, 9, clock_ms=4)]
    assert newest(marks, "topic-1", -1) == marks[3]
    assert newest(marks, "topic-1", 9) is None
    assert newest(marks, "topic-2", -1) is None


def test_the_archive_of_a_mark_is_what_it_names_or_what_that_was_merged_into() -> None:
    first, second, third = Range(1, 4, "a"), Range(5, 9, "a"), Range(10, 12, "a")
    merged, other, later = Range(1, 9, "b"), Range(5, 11, "c"), Range(13, 20, "c")
    named = {each.name: "" for each in (first, second, third)}
    of = Mark(3, 12, "a", 900, None, "topic-1", 7, {}, named)
    assert resolved(of, [first, second, third, merged, other, later]) == [first, second, third]
    assert resolved(of, [third, merged, later]) == [merged, third]
    assert resolved(of, [first, third, later]) == [first], "it ends before the gap"
