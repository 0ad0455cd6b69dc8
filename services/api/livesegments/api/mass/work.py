"""A mass job while it is done: one change of every profile of an audience, or of a list of ids.

Example: `{"action": "reset_score", "reason": "new season", "audience": {"include": ["lapsed"]}}`. Each
profile is walked past once, in the order of partitions and ids; its change goes to ingest under the id
`mass-JOB`, so what is sent twice after a death counts once. A deletion is an erasure of each profile, in the
log as any other.

No more profiles are touched than were confirmed, whoever comes into the audience meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from livesegments.api.jobs.jobs import Doing, Failed, Jobs
from livesegments.api.operations.forgetting import forgotten
from livesegments.api.web.inbound import Inbound
from livesegments.api.web.publisher import Publisher
from livesegments.api.web.records import Records
from livesegments.core.audience import Audience
from livesegments.store.audiences import Audiences
from livesegments.store.catalog import Catalog
from livesegments.store.profiles import Profiles
from livesegments.wire.suppressed import digest

KIND = "mass"
PIECE = 500
Action: TypeAlias = Literal["update", "delete", "reset_score"]


class Asked(Struct, frozen=True, omit_defaults=True):
    """`change`: the parts of a change in our own form, of `update` and `reset_score`. `keep_out`: who is
    deleted stays out. One of `audience` and `profiles` says whom it is about."""

    action: Action
    audience: Audience | None = None
    profiles: tuple[str, ...] = ()
    change: dict[str, Any] = {}
    keep_out: bool = False


def asked(data: bytes | msgspec.Raw) -> Asked:
    return msgspec.json.decode(data, type=Asked)


class MassJobs:
    """Does them. `key`: of the digests of erased ids."""

    def __init__(
        self,
        audiences: Audiences,
        profiles: Profiles,
        records: Records,
        inbound: Inbound,
        turn: asyncio.Semaphore,
        key: str,
        jobs: Jobs,
        catalog: Catalog,
        publisher: Publisher,
    ) -> None:
        self._audiences, self._profiles, self._records = audiences, profiles, records
        self._inbound, self._turn, self._key = inbound, turn, key
        self._catalog, self._publisher = catalog, publisher
        jobs.does(KIND, self._run)

    async def _run(self, doing: Doing) -> None:
        told = asked(doing.job.spec)
        lives = await self._audiences.heads.look()
        named = await self._catalog.audit.named(doing.job.workspace) if told.action == "delete" else set()
        pieces = self._listed(doing, told) if told.audience is None else self._walked(doing, told.audience)
        async for piece, place in pieces:
            ids = piece[: doing.job.total - doing.job.done]
            if told.action == "delete":
                await self._delete(doing.job.workspace, ids, told.keep_out)
                if known := named.intersection(ids):
                    await forgotten(self._catalog, self._publisher, doing.job.workspace, known)
            else:
                change = {"id": f"mass-{doing.job.id}", **told.change}
                await self._inbound.send(doing.job.workspace, [{**change, "profile": id_} for id_ in ids])
            done = doing.job.done + len(ids)
            await doing.tell(done=done, place=place)
            if done >= doing.job.total:
                break
        if await self._audiences.heads.lives() != lives:
            raise Failed("the store was made anew meanwhile, some may have been passed over: begin it again")

    async def _listed(self, doing: Doing, told: Asked) -> AsyncIterator[tuple[Sequence[str], str]]:
        for at in range(int(doing.job.place or 0), len(told.profiles), PIECE):
            yield told.profiles[at : at + PIECE], str(at + PIECE)

    async def _walked(self, doing: Doing, audience: Audience) -> AsyncIterator[tuple[Sequence[str], str]]:
        at, _, place = doing.job.place.partition("/")
        last = int(place or 0)
        for partition in range(int(at or 0), self._audiences.partitions):
            more = True
            while more:
                async with self._turn:
                    piece = await self._audiences.piece(doing.job.workspace, audience, partition, last)
                ids, last, more = list(piece.ids), piece.last, bool(piece.last)
                for start in range(0, len(ids), PIECE):
                    some = ids[start : start + PIECE]
                    if start + PIECE < len(ids):
                        yield some, f"{partition}/{piece.numbers[start + PIECE - 1]}"
                    else:
                        yield some, f"{partition}/{last}" if more else f"{partition + 1}/"
            last = 0

    async def _delete(self, workspace: str, ids: Sequence[str], keep_out: bool) -> None:
        await self._records.erase_all(workspace, ids)
        if not keep_out:
            await self._records.lift_all(
                workspace, [(each, digest(self._key, workspace, each)) for each in ids]
            )
