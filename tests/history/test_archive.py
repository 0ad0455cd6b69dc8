"""Files of the archive: written whole, merged, swept; the same in a folder and in an object store."""

import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from livesegments.core.event import Event, Transition
from livesegments.history import archive as archive_module
from livesegments.history import schema
from livesegments.history.archive import Archive
from livesegments.history.ranges import Range
from livesegments.store.tail import Applied

ONE, TWO, BOTH = Range(1, 4, "a"), Range(5, 9, "a"), Range(1, 9, "b")


@pytest.fixture(params=["folder", "s3"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    if request.param == "folder":
        return Archive(str(tmp_path / "archive"))
    url: str = request.getfixturevalue("bucket")
    return Archive(url.format(prefix=request.node.callspec.id + request.node.name.split("[")[0]))


def ordered(profile: str, time_ms: int, commit: int, place: int = 0) -> Applied:
    event = Event(f"{profile}-{time_ms}", "shop", profile, "Order", time_ms, {"total": 0.1, "n": 2**60})
    return Applied(event, time_ms + 1, commit, place)


def entered(profile: str, sequence: int) -> Transition:
    return Transition(f"t-{profile}", "shop", "vip", profile, "entered", 5, sequence, "event", None, 1)


def put(archive: Archive, of: Range, profiles: str) -> None:
    events = [ordered(profile, 1_000 * of.first, of.first, place) for place, profile in enumerate(profiles)]
    archive.write(
        3,
        of,
        schema.events_table(events),
        schema.transitions_table([(of.first, [entered(profile, of.first) for profile in profiles])]),
    )


def read(archive: Archive, of: Range) -> list[dict[str, object]]:
    return archive.open(3, "events", of).read().to_pylist()  # type: ignore[no-any-return]


def test_rows_come_back_sorted_and_exact(archive: Archive) -> None:
    put(archive, ONE, "cab")
    rows = read(archive, ONE)
    assert [row["profile"] for row in rows] == ["a", "b", "c"]
    assert rows[0]["properties"] == '{"total":0.1,"n":1152921504606846976}'
    assert rows[0]["commit"] == 1 and rows[0]["place"] == 1 and rows[0]["cause"] is None


def test_neighbours_merge_and_the_parts_go(archive: Archive) -> None:
    put(archive, ONE, "ab")
    put(archive, TWO, "ca")
    written = archive.merge(3, [ONE, TWO], BOTH)
    assert (written.events, written.transitions) == (4, 4)
    assert (written.first_ms, written.last_ms) == (1_000, 5_000)
    assert [row["profile"] for row in read(archive, BOTH)] == ["a", "a", "b", "c"]
    now_s = time.time() + 1
    assert archive.ranges(3, now_s) == [ONE, BOTH, TWO]
    assert archive.ranges(3, now_s - 3_600) == []
    archive.remove(3, [ONE, TWO])
    assert archive.ranges(3, now_s) == [BOTH]
    archive.remove(3, [ONE])


@pytest.mark.parametrize("at", ["open_output_stream", "_flush", "replace"])
@pytest.mark.parametrize("written", [0, 1], ids=["events", "transitions"])
def test_a_death_at_any_step_of_a_write_leaves_no_file_that_counts(
    at: str, written: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither half a file nor one under its own name; the next owner drops the draft, and writes the range again."""
    archive, calls = Archive(str(tmp_path)), 0

    class DeathError(BaseException):
        """Nothing of the process runs after it: no `finally` either, but for what the test undoes below."""

    def dying(original: Any) -> Any:
        def step(*given: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 1 + written * (2 if at == "_flush" else 1):
                raise DeathError
            return original(*given)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        match at:
            case "open_output_stream":
                patch.setattr(archive, "files", Failing(archive.files, dying))
            case "_flush":
                patch.setattr(archive_module, "_flush", dying(archive_module._flush))
            case _:
                patch.setattr(Path, "replace", dying(Path.replace))
        with pytest.raises(DeathError):
            put(archive, ONE, "ab")
    events = list(tmp_path.glob("events/v1/p=00003/*.parquet"))
    assert [pq.read_table(each, partitioning=None).num_rows for each in events] == [2] * written
    assert not list(tmp_path.glob("transitions/v1/p=00003/*.parquet"))
    archive.drop_drafts(3)
    assert not list(tmp_path.glob("**/.*.parquet*"))
    put(archive, ONE, "ab")
    assert [row["profile"] for row in read(archive, ONE)] == ["a", "b"]


class Failing:
    """A file system whose streams don't open."""

    def __init__(self, files: Any, dying: Any) -> None:
        self._files = files
        self.open_output_stream = dying(files.open_output_stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


def test_a_range_written_again_is_replaced(archive: Archive) -> None:
    put(archive, ONE, "ab")
    put(archive, ONE, "abc")
    assert len(read(archive, ONE)) == 3


def test_a_partition_without_files_has_no_ranges(archive: Archive) -> None:
    assert archive.ranges(7, time.time()) == []
    with pytest.raises(FileNotFoundError):
        archive.open(7, "events", ONE)


def test_any_tool_reads_it(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    put(archive, ONE, "ab")
    files = f"{tmp_path}/events/v1/*/*.parquet"
    with duckdb.connect() as db:
        rows = db.execute(
            f"select profile, (properties->>'total')::double from '{files}' order by 1"
        ).fetchall()
    assert rows == [("a", 0.1), ("b", 0.1)]
    found = pq.read_metadata(next(tmp_path.glob("transitions/v1/p=00003/*.parquet")))
    assert found.metadata[b"livesegments.schema"] == b"1"
    assert not list(tmp_path.glob("**/.*.parquet*")), "no draft stays behind"
