"""An import that breaks off goes on where it was, and sends nothing under another id; fakes stand for ingest."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from livesegments.api.context import Context
from livesegments.api.imports import work as import_work
from livesegments.api.imports.arrival import Way
from livesegments.api.imports.imports import forget_erased
from livesegments.api.imports.mapping import Column, Plan
from livesegments.api.imports.work import KIND, Asked, Files, Imports
from livesegments.api.jobs.jobs import Doing, Jobs
from livesegments.runtime.embedded.stack import Stack
from livesegments.store.jobs import Job, JobStore, spec


class Taken:
    """Ingest's place, which keeps what was sent; it is away for piece number `away`, after it has taken it."""

    def __init__(self, away: int) -> None:
        self.changes: list[Any] = []
        self._left = away

    async def send(self, _: str, changes: Sequence[dict[str, Any]]) -> None:
        self.changes += changes
        self._left -= 1
        if self._left == 0:
            raise OSError("away")


class There:
    """The way of rows that is at its end at once; on it row 2 was refused, and row 4 in part."""

    async def way(self) -> Way:
        return Way((1,))

    async def further(self, _: Way) -> None:
        return None

    async def refused(self, *_: object) -> dict[int, str]:
        return {2: "it is full", 4: "taken, but for this: an odd part"}


class Nothing:
    """A workspace in which nothing is declared and nobody was erased."""

    async def declarations(self, _: str) -> dict[str, Any]:
        return {}

    async def newest(self, _: str) -> tuple[int, ...]:
        return (-1,)


async def test_an_import_that_broke_off_goes_on_under_the_same_ids(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_work, "PIECE", 2)
    data = b"id,a\n" + b"".join(b"p%d,%s\n" % (at, b"x" if at % 3 else b"\xff") for at in range(1, 8))
    files = await Files(str(tmp_path)).of()
    plan = Plan("id", False, (Column("a", "attribute", "a"),))
    told = Asked("f", len(data), (0,), "utf-8", None, plan)
    job = Job("w", "j1", KIND, spec(told), 0, 1)
    files.put(job, 0, data)
    async with Redis.from_url(stack.redis) as redis:
        jobs, taken = Jobs(JobStore(redis), lambda: 1), Taken(away=3)
        doer = Imports(Nothing(), files, taken, Nothing(), jobs, There(), lambda: 1)  # type: ignore[arg-type]
        await jobs.store.add(job, 1)
        with pytest.raises(OSError, match="away"):
            await doer._run(Doing(jobs.store, job))
        job = await jobs.store.one("w", KIND, "j1")
        assert (job.place, job.done) == ("4", 4)
        await doer._run(doing := Doing(jobs.store, job))
    assert [each["id"][-1] for each in taken.changes] == ["1", "2", "4", "5", "5", "7"]
    assert len({(each["profile"], each["id"]) for each in taken.changes}) == 5
    job = doing.job
    assert (job.done, job.total, job.counts) == (7, 7, {"accepted": 3, "refused": 4})
    with files.refused(job) as refused:
        found = [row.split(b",") for row in refused.read().split(b"\r\n")]
    assert [row[0] for row in found] == [b"row", b"2", b"3", b"4", b"6", b""]
    assert found[1] == [b"2", b"it is full", b"p2", b"x"]
    with pytest.raises(FileNotFoundError):
        files.whole(job).read()
    assert files.refused(replace(job, spec=spec(told))).read()


async def test_refused_rows_of_before_an_erasure_go(stack: Stack, tmp_path: Path) -> None:
    """Those of imports that were begun since stay, and so do those of other workspaces."""
    newest = {"w": (-1, 3), "v": (-1, -1)}

    async def newest_of(workspace: str) -> tuple[int, ...]:
        return newest[workspace]

    async def workspaces() -> list[SimpleNamespace]:
        return [SimpleNamespace(id=each) for each in newest]

    files = await Files(str(tmp_path)).of()
    async with Redis.from_url(stack.redis) as redis:
        store = JobStore(redis)
        for workspace, id_, erased in (
            ("w", "old", (-1, 3)),
            ("w", "new", (-1, 9)),
            ("v", "other", (-1, -1)),
        ):
            job = Job(
                workspace,
                id_,
                KIND,
                spec(Asked("f", refused=3, erased=erased)),
                1,
                1,
                state="done",
                ended_ms=1,
            )
            files.put_refused(job, BytesIO(b"ann"))
            await store.add(job, 1)
        context = SimpleNamespace(
            imports=SimpleNamespace(files=files),
            catalog=SimpleNamespace(workspaces=workspaces),
            jobs=SimpleNamespace(store=store),
            erasures=SimpleNamespace(newest=newest_of),
            now_ms=lambda: 2,
        )

        def there() -> set[str]:
            return {path.name for path in tmp_path.rglob("*.csv")}

        assert await forget_erased(cast(Context, context), ()) == {"new"}
        newest["w"] = (-1, 9)
        files.put_refused(await store.one("w", KIND, "new"), BytesIO(b"ann"))
        assert await forget_erased(cast(Context, context), ()) == {"old"}
        assert there() == {"new-refused.csv", "other-refused.csv"}
