"""Jobs that move an audience into a list, as everybody may see how far they are: `{lists}:WORKSPACE`.

A job that ended is forgotten after `KEPT_MS`, or when there is no room for another one.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from livesegments.core.audience import Audience
from livesegments.store import keys
from livesegments.store.client import Client

MOST = 20
KEPT_MS = 86_400_000
LEASE_MS = 30_000

# KEYS: the workspace's jobs; ARGV: the id, its JSON. One that was cancelled meanwhile stays so
_PUT = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
_ADD = """
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""


class Lost(Exception):
    """The job is not kept any more, or was cancelled."""


class Job(Struct, frozen=True):
    """`done` of about `total` profiles were looked at; `alive_ms`: when the api that runs it said so last."""

    id: str
    segment: str
    how: Literal["append", "replace", "remove"]
    audience: Audience
    total: int
    begun_ms: int
    alive_ms: int
    done: int = 0
    added: int = 0
    removed: int = 0
    state: Literal["running", "done", "failed"] = "running"
    reason: str | None = None

    def seen(self, now_ms: int) -> Job:
        """As it is now: one whose api has stopped has failed."""
        if self.state == "running" and self.alive_ms + LEASE_MS < now_ms:
            reason = "the api that ran it has stopped: run it again, only the rest is sent"
            return msgspec.structs.replace(self, state="failed", reason=reason)
        return self


class JobStore:
    """Raises Away when the store can't be reached."""

    def __init__(self, store: Client) -> None:
        self._redis: Any = store
        self._add = self._redis.register_script(_ADD)
        self._put = self._redis.register_script(_PUT)

    async def every(self, workspace: str, now_ms: int) -> list[Job]:
        """The newest first."""
        found = (await self._redis.hgetall(keys.list_jobs(workspace))).values()
        jobs = [_decoder.decode(data).seen(now_ms) for data in found]
        living = [each for each in jobs if each.alive_ms + KEPT_MS > now_ms]
        return sorted(living, key=lambda each: (-each.begun_ms, each.id))

    async def one(self, workspace: str, id_: str, now_ms: int) -> Job:
        """Raises Lost."""
        data = await self._redis.hget(keys.list_jobs(workspace), id_)
        if data is None:
            raise Lost
        job: Job = _decoder.decode(data)
        return job.seen(now_ms)

    async def add(self, workspace: str, job: Job, now_ms: int) -> bool:
        """Whether there was room for one more that is under way."""
        name = keys.list_jobs(workspace)
        jobs = await self.every(workspace, now_ms)
        over = [each.id for each in jobs if each.state != "running"][MOST // 2 :]
        if over:
            await self._redis.hdel(name, *over)
        return bool(await self._add(keys=[name], args=[MOST, job.id, _encode(job), KEPT_MS]))

    async def put(self, workspace: str, job: Job) -> None:
        """How far it is. Raises Lost where it was cancelled."""
        if not await self._put(keys=[keys.list_jobs(workspace)], args=[job.id, _encode(job)]):
            raise Lost

    async def delete(self, workspace: str, id_: str) -> None:
        """Cancels one that is under way; what it has sent stays."""
        await self._redis.hdel(keys.list_jobs(workspace), id_)


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Job)
