"""Jobs that the api's processes do in the background: `{jobs}:of:WORKSPACE`, one mechanism for every kind.

Example: ann replaces a list by an audience. The job is written as `waiting`, and whichever process of the api
has room takes its turn. If that process dies, the turn ends after some seconds, and another process goes on
at `place`, how far the work had come. A job that ended is forgotten after `KEPT_MS`, or where room is needed.

All of it is as disposable as the rest of the store: with it, jobs that are under way are gone, and what they
sent stays.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from livesegments.store import keys
from livesegments.store.actor import Actor
from livesegments.store.client import Client
from livesegments.store.turn import Turn

MOST = 20
KEPT_MS = 86_400_000
State: TypeAlias = Literal["draft", "waiting", "running", "done", "failed"]
OPEN = frozenset({"waiting", "running"})

# KEYS: the workspace's jobs, those under way; ARGV: the id, its JSON, its name there, when it was asked for
# ('': it isn't under way)
_PUT = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if ARGV[4] == '' then
  redis.call('ZREM', KEYS[2], ARGV[3])
else
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
end
return 1
"""
# ARGV: the most, the id, its JSON, its name there, when it was asked for
_ADD = """
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
if ARGV[5] ~= '' then redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4]) end
return 1
"""


class Lost(Exception):
    """The job is not kept any more, or was cancelled."""


class Job(Struct, frozen=True, omit_defaults=True):
    """`done` of about `total` were looked at; instants are ms since 1970.

    state   `draft`: its author has still to give what it needs; nobody begins it
    kind    what does it; `spec` is what was asked, as that has it
    counts  what came of it, by names of the kind's own
    place   where another process would go on, as the kind has it; "": at the beginning
    begun   how many times it was begun since it came further last: a process may have died over it
    by      in whose name it acts
    reason  why it failed, or why it waits
    """

    workspace: str
    id: str
    kind: str
    spec: msgspec.Raw
    total: int
    begun_ms: int
    done: int = 0
    counts: dict[str, int] = {}
    state: State = "waiting"
    place: str = ""
    reason: str | None = None
    begun: int = 0
    ended_ms: int | None = None
    by: Actor = Actor()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class JobStore:
    """Raises Away when the store can't be reached."""

    def __init__(self, store: Client) -> None:
        self._redis: Any = store
        self._add = self._redis.register_script(_ADD)
        self._put = self._redis.register_script(_PUT)

    async def every(self, workspace: str, kind: str, now_ms: int) -> list[Job]:
        """The newest first, of one kind or ("") of all."""
        found = map(_decode, (await self._redis.hgetall(keys.jobs(workspace))).values())
        living = [each for each in found if kind in ("", each.kind) and not _is_over(each, now_ms)]
        return sorted(living, key=lambda each: (-each.begun_ms, each.id))

    async def one(self, workspace: str, kind: str, id_: str) -> Job:
        """Raises Lost."""
        data = await self._redis.hget(keys.jobs(workspace), id_)
        job = None if data is None else _decode(data)
        if job is None or kind != job.kind:
            raise Lost
        return job

    async def open(self) -> list[Job]:
        """Of every workspace, those that are under way, the oldest first."""
        names = [name.decode().split("\0") for name in await self._redis.zrange(keys.JOBS, 0, -1)]
        if not names:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for workspace, id_ in names:
            pipe.hget(keys.jobs(workspace), id_)
        jobs = [_decode(data) for data in await pipe.execute() if data is not None]
        return [each for each in jobs if each.is_open]

    async def add(self, job: Job, now_ms: int) -> bool:
        """Whether there was room for one more that is under way."""
        name = keys.jobs(job.workspace)
        found = [_decode(data) for data in (await self._redis.hgetall(name)).values()]
        ended = sorted((each for each in found if not each.is_open), key=lambda each: -each.begun_ms)
        over = [each.id for at, each in enumerate(ended) if at >= MOST // 2 or _is_over(each, now_ms)]
        if over:
            await self._redis.hdel(name, *over)
        entry = f"{job.workspace}\0{job.id}"
        added = await self._add(
            keys=[name, keys.JOBS],
            args=[MOST, job.id, _encode(job), entry, job.begun_ms if job.is_open else ""],
        )
        return bool(added)

    async def put(self, job: Job) -> None:
        """How far it is. Raises Lost where it was cancelled."""
        arguments: list[str | bytes | int] = [
            job.id,
            _encode(job),
            f"{job.workspace}\0{job.id}",
            job.begun_ms if job.is_open else "",
        ]
        if not await self._put(keys=[keys.jobs(job.workspace), keys.JOBS], args=arguments):
            raise Lost

    async def delete(self, workspace: str, id_: str) -> None:
        """Cancels one that is under way; what it has sent stays."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(keys.jobs(workspace), id_)
            pipe.zrem(keys.JOBS, f"{workspace}\0{id_}")
            await pipe.execute()

    async def put_token(self, workspace: str, token: str, digest: str, count: int, for_s: int) -> None:
        """By the token, a job that has this digest may be begun, of so many profiles."""
        await self._redis.set(keys.job_token(workspace, token), f"{count} {digest}", ex=for_s)

    async def token(self, workspace: str, token: str) -> tuple[str, int] | None:
        """The digest and the count; None where there is no such token any more."""
        found = await self._redis.get(keys.job_token(workspace, token))
        if found is None:
            return None
        count, _, digest = found.decode().partition(" ")
        return digest, int(count)

    async def use_token(self, workspace: str, token: str) -> bool:
        """Whether it was there: it is used once."""
        return bool(await self._redis.delete(keys.job_token(workspace, token)))

    def turn(self, job: Job) -> Turn:
        """Whoever has it does the job."""
        return Turn(self._redis, keys.job_turn(job.workspace, job.id))


def spec(asked: Struct) -> msgspec.Raw:
    """What is asked, for `Job.spec`."""
    return msgspec.Raw(msgspec.json.encode(asked))


def _is_over(job: Job, now_ms: int) -> bool:
    ended_ms = job.begun_ms if job.state == "draft" else job.ended_ms
    return ended_ms is not None and ended_ms + KEPT_MS <= now_ms


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Job).decode
