"""Jobs in the background: one process does each at a time, and another goes on where one that died had come."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import cast

import pytest
from msgspec import Struct
from redis.asyncio import Redis

from livesegments.api.jobs import jobs as module
from livesegments.api.jobs.in_turn import in_turn
from livesegments.api.jobs.jobs import Doing, Failed, Jobs
from livesegments.api.web.problems import Problem
from livesegments.runtime import tasks
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import turn
from livesegments.store.actor import Actor, act_as, acting
from livesegments.store.jobs import KEPT_MS, MOST, Job, JobStore, Lost
from livesegments.store.turn import Turn
from tests.services.api.conftest import until

TO = 6
KIND = "counting"
Make = Callable[..., Jobs]


class Asked(Struct):
    what: str = "six"


class Counter:
    """Work that sends the numbers up to `TO`; it stops for ever before it tells of `hang`."""

    def __init__(self, sent: list[int], hang: int | None = None) -> None:
        self.sent, self.hang, self.hung = sent, hang, asyncio.Event()
        self.names: set[str] = set()

    async def __call__(self, doing: Doing) -> None:
        self.names.add(acting().name)
        for number in range(int(doing.job.place or 0), TO):
            self.sent.append(number)
            if number == self.hang:
                self.hung.set()
                await asyncio.Event().wait()
            await doing.tell(done=number + 1, place=str(number + 1))


@pytest.fixture
async def make(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Runners of the same store; they are stopped at the end."""
    monkeypatch.setattr(turn, "TURN_S", 0.5)
    monkeypatch.setattr(module, "AGAIN_S", 0.0)
    monkeypatch.setattr(module, "LOOK_S", 0.05)
    running: list[asyncio.Task[None]] = []
    async with Redis.from_url(stack.redis) as redis:
        await redis.flushall()

        def started(work: Callable[[Doing], Awaitable[None]] | None = None) -> Jobs:
            jobs = Jobs(JobStore(redis), itertools.count(1_000).__next__)
            if work is not None:
                jobs.does(KIND, work)
                running.append(asyncio.create_task(jobs.run()))
            return jobs

        yield started
        await tasks.cancelled(running)


async def ended(jobs: Jobs, job: Job) -> Job:
    found: list[Job] = []

    async def done() -> bool:
        found.append(await jobs.store.one(job.workspace, KIND, job.id))
        return not found[-1].is_open

    await until(done)
    return found[-1]


async def test_another_process_goes_on_where_one_that_died_had_come(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_: object) -> None: ...

    sent: list[int] = []
    first, second = Counter(sent, hang=3), Counter(sent)
    dying = make()
    dying.does(KIND, first)
    running = asyncio.create_task(dying.run())
    act_as(Actor("ann's key"))
    job = await dying.begin("w", KIND, Asked(), TO)
    act_as(Actor())
    await first.hung.wait()
    with monkeypatch.context() as patch:
        patch.setattr(turn.Turn, "give", nothing)  # who dies gives nothing back
        await tasks.cancelled([running])
    assert (await dying.store.one("w", KIND, job.id)).done == 3
    done = await ended(make(second), job)
    assert sent == [0, 1, 2, 3, 3, 4, 5], "what was not told of is done again, nothing else"
    assert (done.state, done.done, second.names) == ("done", TO, {"ann's key"})
    assert await dying.store.open() == []


async def test_a_job_that_is_cancelled_ends_and_stays_away(make: Make) -> None:
    work = Counter([], hang=2)
    jobs = make(work)
    job = await jobs.begin("w", KIND, Asked(), TO)
    await work.hung.wait()
    await jobs.store.delete("w", job.id)
    with pytest.raises(Lost):
        await Doing(jobs.store, job).tell(done=3)
    with pytest.raises(Lost):
        await jobs.store.one("w", KIND, job.id)
    assert await jobs.store.open() == []


async def test_what_cannot_be_done_says_why_and_what_is_away_is_waited_for(make: Make) -> None:
    times: list[int] = []

    async def work(doing: Doing) -> None:
        times.append(doing.job.begun)
        if doing.job.workspace == "bad":
            raise Failed("there is no such list: make it first")
        if doing.job.workspace == "bug":
            raise ZeroDivisionError
        if len(times) < 9:
            raise OSError("away")

    jobs = make(work)
    job = await ended(jobs, await jobs.begin("w", KIND, Asked(), TO))
    assert (job.state, set(times)) == ("done", {1}), (
        "no beginning counts that failed for somebody else's sake"
    )
    bad = await ended(jobs, await jobs.begin("bad", KIND, Asked(), TO))
    assert (bad.state, bad.reason) == ("failed", "there is no such list: make it first")
    bug = await ended(jobs, await jobs.begin("bug", KIND, Asked(), TO))
    assert bug.state == "failed" and "in the log" in str(bug.reason)


async def test_a_job_over_which_processes_die_is_given_up(make: Make) -> None:
    jobs = make()
    job = await jobs.begin("w", KIND, Asked(), TO)
    await Doing(jobs.store, job).tell(state="running", begun=module.MOST_BEGUN)
    given_up = await ended(make(Counter([])), job)
    assert given_up.state == "failed" and "came no further" in str(given_up.reason)


async def test_a_workspace_has_so_many_and_ended_ones_make_room(make: Make) -> None:
    waiting = make()
    begun = [await waiting.begin("w", KIND, Asked(), TO) for _ in range(MOST)]
    with pytest.raises(Problem) as full:
        await waiting.begin("w", KIND, Asked(), TO)
    assert (full.value.status_code, full.value.errors[0].code) == (409, "quota_jobs")
    await waiting.begin("other", KIND, Asked(), TO)
    jobs = make(Counter([]))
    for each in begun:
        await ended(jobs, each)
    await jobs.begin("w", KIND, Asked(), TO)
    assert len(await jobs.store.every("w", KIND, 0)) == MOST // 2 + 1
    assert await jobs.store.every("w", "other", 0) == []
    assert len(await jobs.store.every("w", "", 2_000 + KEPT_MS)) <= 1


async def test_a_turn_ends_although_its_renewal_swallows_the_cancellation() -> None:
    """As redis-py does where its answer comes with it: what was begun next in this workspace waited for ever."""

    class Deaf:
        renewed, given = 0, False

        async def renew(self) -> bool:
            self.renewed += 1
            with suppress(*([asyncio.CancelledError] if self.renewed == 1 else [])):
                await asyncio.Event().wait()
            return True

        async def give(self) -> None:
            self.given = True

    async def work() -> None:
        while not deaf.renewed:  # noqa: ASYNC110
            await asyncio.sleep(0)

    deaf = Deaf()
    async with asyncio.timeout(60):
        await in_turn(cast(Turn, deaf), work(), "a job")
    assert deaf.given
