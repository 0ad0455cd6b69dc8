"""Files of checkpoints: as of one commit, read by any Parquet tool, chosen by how far they reach.

What is written, read back, written anew without a person and removed is the same in a folder and in an object store.
"""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from livesegments.core.states import STATES
from livesegments.history.archive import Archive
from livesegments.history.checkpoints import listed, path_of
from livesegments.history.mark import Mark, Row, newest, resolved
from livesegments.history.protocol import Person
from livesegments.history.ranges import Range
from livesegments.history.workshop import FilesGone, Workshop
from livesegments.store import keys
from livesegments.store.adoption import Filling, Stage, decode_stage, encode

MARK = Mark(3, 4711, "9f3c21aa", 900, 1_000, "topic-1", 7, {"{3}:adopted": {"w": "{}"}}, {})


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "archive")
    bucket: str = request.getfixturevalue("bucket")
    return bucket.format(prefix=f"checkpoints/{request.node.originalname}")


def mark(commit: int, offset: int, topic: str = "topic-1", clock_ms: int | None = None) -> Mark:
    return Mark(3, commit, "a", offset, clock_ms, topic, 7, states=STATES)


def names(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_a_checkpoint_is_of_one_commit(tmp_path: Path, url: str) -> None:
    """Bob changed while the scan went on, eve came, and the scan met ann twice."""
    workshop = Workshop(url, tmp_path)
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
    archive = Archive(url)
    with archive.files.open_input_file(path_of(archive, 3, MARK.name)) as file:
        assert pq.read_table(file).column("profile").to_pylist() == ["ann", "bob", "ann"]
    await workshop.forget(3, 0.0, [MARK.name])
    await workshop.forget(3, 3_600.0, [])
    assert listed(archive, 3, None) == [MARK.name]
    await workshop.forget(3, 0.0, [])
    assert listed(archive, 3, None) == []
    with pytest.raises(FilesGone):
        await anext(workshop.load(MARK))
    assert names(tmp_path) in ([], ["archive"]), "no spool is left behind"
    await workshop.close()


async def test_a_person_is_taken_out_of_a_checkpoint_and_of_where_a_filling_had_come_to(
    tmp_path: Path, url: str
) -> None:
    workshop = Workshop(url, tmp_path)
    scanned = workshop.spool()
    scanned.put([("w", "ann", b"a"), ("w", "bob", b"b"), ("w", "eve", b"e"), ("x", "dan", b"d")])
    stage = encode(Stage(2, "UTC", Filling((1,), "bob", 2)))
    held = replace(MARK, hashes={keys.adopted(3): {"w": stage.decode()}})
    await workshop.save(held, scanned, workshop.spool())
    persons = [Person("w", "bob", 5_000, 5_000, 950)]
    added = {"{3}:suppressed": {"digest": "{}"}}
    (purged,) = await workshop.purge(3, "topic-1", persons, [(951, added)], "9f3c21aax1")
    assert (purged.old, purged.saved.profiles) == (MARK.name, 3)
    await workshop.discard(3, [purged.old])
    (left,) = await workshop.marks(3)
    assert left.name == purged.new
    assert decode_stage(left.hashes[keys.adopted(3)]["w"].encode()).filling == Filling((1,), "ann", 2)
    assert left.hashes["{3}:suppressed"] == added["{3}:suppressed"]
    assert [[row[:2] for row in rows] async for _, rows in workshop.load(left)] == [
        [("w", "ann"), ("w", "eve"), ("x", "dan")]
    ]
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
