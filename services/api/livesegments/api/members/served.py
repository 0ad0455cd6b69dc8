"""The plans that decide memberships: what a partition serves, which an edit doesn't change at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from cachetools import LRUCache

from livesegments.api.web.problems import Problem, not_found
from livesegments.core import plan
from livesegments.core.explain import prepared
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile
from livesegments.core.step import on_plan
from livesegments.core.value_list import Contents
from livesegments.store.adoption import Served
from livesegments.store.client import Client
from livesegments.store.contents import StoredContents
from livesegments.store.judged import Definitions, Judged
from livesegments.store.standing import Heads
from livesegments.wire.topics import partition_of

CACHED = 64
"""Plans, one a workspace and partition; those of a workspace share what is the same."""
ATTEMPTS = 5
"""At most this many times it is read again, because the definitions changed while it was read."""


class Deciding(NamedTuple):
    """A profile brought to `plan`, at the instant `now_ms`; `judged`: it had been before it was read."""

    plan: Plan
    profile: Profile
    now_ms: int
    judged: bool
    was_in: frozenset[str]


class ServedPlans:
    def __init__(self, store: Client, heads: Heads, contents: StoredContents) -> None:
        self._judged, self._contents = Judged(store, heads), contents
        self._partitions = heads.partitions
        self._cache: LRUCache[tuple[str, int], tuple[Plan, dict[int, int]]] = LRUCache(CACHED)
        self._compiling = asyncio.Lock()

    async def deciding(self, workspace: str, profile_id: str, wall_ms: int | None) -> Deciding:
        """`wall_ms`: now, where the wall clock counts; a state says all up to its next due time.

        Raises Problem 404 for an unknown profile, 503 where the definitions don't stand still.
        """
        partition = partition_of(workspace, profile_id, self._partitions)
        for _ in range(ATTEMPTS):
            state = await self._judged.state(partition, workspace, profile_id)
            if state.profile is None:
                raise not_found("profile", profile_id)
            if state.profile.kin is not None and state.profile.kin.into is not None:
                raise Problem(404, f"{profile_id!r} was merged into the profile {state.profile.kin.into!r}.")
            if state.stage is None:
                break
            cached = self._cache.get((workspace, partition))
            if cached is None or cached[0].revision != state.stage.revision:
                await self._compile(workspace, partition)
                continue
            made, since = cached
            profile = state.profile
            was_in = frozenset(
                id_ for id_, each in profile.memberships.items() if each.entered_ms is not None
            )
            judged = profile.plan == made.revision
            if not judged:
                on_plan(made, profile_id, profile, state.clock_ms, since)
            now = instant(state.clock_ms, profile, wall_ms)
            return Deciding(made, prepared(made, profile), now, judged, was_in)
        raise unsettled()

    async def several(
        self, partition: int, workspace: str, profiles: Sequence[str]
    ) -> tuple[Plan, int, list[tuple[str, Profile]]]:
        """Those of a partition's profiles that there are, brought to the definitions that it serves, and its
        clock (ms) then.

        Raises Problem 503 where the definitions don't stand still.
        """
        for _ in range(ATTEMPTS):
            stage, clock_ms, states = await self._judged.states(partition, workspace, profiles)
            states = [(id_, profile) for id_, profile in states if not profile.gone]
            if stage is None:
                break
            cached = self._cache.get((workspace, partition))
            if cached is None or cached[0].revision != stage.revision:
                await self._compile(workspace, partition)
                continue
            return cached[0], clock_ms, await asyncio.to_thread(_brought, *cached, states, clock_ms)
        raise unsettled()

    def due(self, partition: int, workspace: str, until_ms: int) -> AsyncIterator[list[str]]:
        return self._judged.due(partition, workspace, until_ms)

    async def of_segment(self, workspace: str, segment: str, profile: str | None = None) -> list[Served]:
        """What the partitions, or that of a profile alone, serve of a segment; those that serve nothing yet
        are left out."""
        partitions = range(self._partitions)
        if profile is not None:
            partitions = range(at := partition_of(workspace, profile, self._partitions), at + 1)
        return await self._judged.served(partitions, workspace, segment)

    async def _compile(self, workspace: str, partition: int) -> None:
        async with self._compiling:
            found = await self._judged.definitions(partition, workspace)
            if found.stage is None:
                return
            known = self._cache.get((workspace, partition)) or self._other(workspace)
            previous = known[0] if known is not None else None
            contents = await self._contents.of(workspace, [each.definition for each in found.served.values()])
            made = await asyncio.to_thread(_compiled, workspace, found, contents, previous)
            since = {fact: kept.revision for fact, kept in found.facts.items()}
            self._cache[workspace, partition] = made, since

    def _other(self, workspace: str) -> tuple[Plan, dict[int, int]] | None:
        """That of another partition, which differs little."""
        return next((cached for (of, _), cached in self._cache.items() if of == workspace), None)


def instant(clock_ms: int, profile: Profile, wall_ms: int | None) -> int:
    """Up to when a state says all: the partition's clock, and where the wall clock counts (`wall_ms`) now,
    but before the profile's next due time."""
    if wall_ms is None:
        return clock_ms
    wake = profile.wake_at
    return max(clock_ms, wall_ms if wake is None else min(wall_ms, wake - 1))


def unsettled() -> Problem:
    detail = "The definitions are being taken up just now. Try again."
    return Problem(503, detail, headers={"Retry-After": "1"})


def _brought(
    made: Plan, since: dict[int, int], states: list[tuple[str, Profile]], clock_ms: int
) -> list[tuple[str, Profile]]:
    for id_, profile in states:
        if profile.plan != made.revision:
            on_plan(made, id_, profile, clock_ms, since)
    return states


def _compiled(workspace: str, found: Definitions, contents: Contents, previous: Plan | None) -> Plan:
    assert found.stage is not None
    segments = [each.segment(id_) for id_, each in found.served.items()]
    made = plan.compile(
        workspace,
        found.stage.timezone,
        segments,
        found.stage.revision,
        previous=previous,
        contents=contents,
    )
    return made.at(
        found.stage.revision,
        {id_: each.adoption for id_, each in found.served.items()},
        [id_ for id_, each in found.served.items() if each.backfilled],
    )
