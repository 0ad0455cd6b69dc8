"""A claim's audits: profiles drawn by lot are counted anew from their history, and compared with the store.

Example: ada is drawn. What happened to her up to now is read by the process that works on the archive, and
counted anew in a thread. Between two records that is compared with her attributes, tags, consents, groups and
score, with her facts, what follows from them with her memberships, and those with the sets of members in the
store. What differs is logged, counted and put right by one commit; transitions of it have the cause `repair`.
A profile that changes meanwhile is passed over.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Sequence
from typing import NamedTuple

import structlog

from livesegments.core.audit import drifted, repair
from livesegments.core.backfill import Past
from livesegments.core.debt import debt_of
from livesegments.core.event import PROFILE, RETRACT, Transition
from livesegments.core.list_versions import ListVersions
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile, decode
from livesegments.core.recount import Counted, Recounts
from livesegments.core.rewritten import astray, rewritten, set_right
from livesegments.core.step import on_plan
from livesegments.evaluator.commits.errands import nothing
from livesegments.evaluator.history.anew import Anew
from livesegments.evaluator.history.parts import Parts
from livesegments.history.protocol import Of
from livesegments.history.workshop import FilesAway
from livesegments.runtime import metrics
from livesegments.store.commit import Commit
from livesegments.wire.profilekey import ProfileKey, profile_key

OTHERS = 100
"""So many segments are looked at whether they have a profile as a member, besides those that it is in."""

_log = structlog.get_logger(__name__)


class Auditing(Anew):
    """`run` in a task of its own, `step` between records; `moved` is called when there is something to do."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._shard = parts.ports.shard
        self._turns = parts.ports.options.audits
        self._found: _Found | None = None
        self._lists: dict[str, tuple[Plan, ListVersions]] = {}
        self._random = random.Random()

    async def run(self) -> None:
        """Never returns, but raises what the shard raises."""
        assert self._turns is not None
        await self._archiver.opened()
        while True:
            await self._turns.take()
            try:
                async with self._following:
                    await self._one()
            except FilesAway as error:
                metrics.ARCHIVE_FAILURES.inc()
                _log.warning("nothing to audit by", partition=self._partition.number, error=str(error))

    async def step(self) -> bool:
        """Compares what was counted; False if there is nothing to do now."""
        found, self._found = self._found, None
        if found is None:
            return False
        try:
            await self._compare(found)
        finally:
            found.done.set()
        return True

    # -- inside

    async def _one(self) -> None:
        partition = self._partition
        if not partition.plans:
            return
        workspace = self._random.choice(list(partition.plans))
        plan, id_ = partition.plans[workspace], await self._shard.lot(workspace)
        if id_ is None:
            return
        key = profile_key(workspace, id_)
        if key in partition.erased or not partition.retracting.free(key):
            return
        partition.retracting.follow([key])
        try:
            upto, held = partition.commit, partition.cache.get(key)
            await self._errands.post(nothing)
            (stored,) = await self._shard.profiles(workspace, [id_])
            if stored is None or partition.plans.get(workspace) is not plan:
                return
            profile = decode(stored)
            inside = _inside(profile)
            drawn = self._random.sample(list(plan.positions), min(OTHERS, len(plan.positions)))
            looked = sorted({*inside, *drawn})
            members = await self._shard.among(workspace, id_, profile.number, looked)
            past: list[Past] = []
            async for _, chunk in self._history.pasts(
                partition.number, Of(workspace, [id_], sorted({*plan.feeds, RETRACT, PROFILE}), upto)
            ):
                past += chunk[0][1]
            if (profile.kin is not None and profile.kin.into is not None) or debt_of(profile.plan):
                return
            born = 0 if profile.kin is None else profile.kin.since
            past = [each for each in past if each[0] > born]
            recounts, now_ms = self._for(plan), partition.clock_ms
            since_ms, partial = self._archiver.complete_since(workspace), self._walks.partial(workspace)
            if profile.wake_at is not None and profile.wake_at <= now_ms:
                return
            try:
                if profile.plan != plan.revision:
                    since, walked = partition.since.get(workspace, {}), partition.walked.get(workspace, -1)
                    on_plan(plan, id_, profile, now_ms, since, walked)
                whole = self._archiver.since_ms is None  # changes of profiles outlive what is kept of events
                lists = self._lists_of(plan) if whole else None
                examined = await asyncio.to_thread(
                    _examined, recounts, id_, profile, past, since_ms, partial, lists, now_ms
                )
            except Exception as error:
                _log.error("an audit met a fault of ours", workspace=workspace, profile=id_, exc_info=error)
                return
            self._found = found = _Found(
                plan, key, id_, held, stored, members, inside, *examined, asyncio.Event()
            )
            self._moved()
            await found.done.wait()
        finally:
            partition.retracting.unfollow([key])

    def _lists_of(self, plan: Plan) -> ListVersions:
        """What is noted of 10,000 segments isn't looked through at every audit."""
        known = self._lists.get(plan.workspace)
        if known is None or known[0] is not plan:
            known = self._lists[plan.workspace] = plan, self._walks.lists(plan.workspace)
        return known[1]

    async def _compare(self, found: _Found) -> None:
        """Repairs what differs, and is not just under way."""
        partition, plan, key = self._partition, found.plan, found.key
        await self._loader.profiles(partition.cache.missing([key]))
        if partition.plans.get(plan.workspace) is not plan or partition.retracting.happened(key):
            return
        self._pass()
        wake_ms = found.counted.states.wake_at
        if wake_ms is not None and wake_ms <= partition.clock_ms:
            return  # what is due by now has not fired in what was counted
        held = partition.cache.get(key)
        if held != (found.stored if found.held is None else found.held):
            return  # it is another one since
        altered = held != found.stored
        wrong = {each for each, is_in in found.members.items() if is_in != (each in found.inside)}
        metrics.AUDITED.inc()
        if found.right and not wrong and not altered:
            return
        result = _Result()

        def work(profile: Profile) -> list[Transition] | None:
            if found.written is not None:
                result.astray = astray(profile, found.written)
            if found.written is not None and result.astray:
                set_right(plan, profile, found.written, partition.clock_ms)
            result.drift = drifted(plan, profile, found.counted, partition.clock_ms)
            result.transitions = repair(
                self._for(plan), found.id, profile, found.counted, result.drift, partition.clock_ms
            )
            result.inside, result.number = _inside(profile), profile.number
            wrong = result.drift or result.transitions or result.astray or altered
            return result.transitions if wrong else None

        if partition.audit(key, work):
            await self._walks.send(partition.seal(), f"audit/{plan.revision}")
            return
        moved = {each.segment for each in result.transitions}
        wrong -= moved
        if not (result.drift or result.astray or moved or wrong or altered):
            return

        def write(commit: Commit) -> None:
            for segment in wrong:
                move = {found.id: (result.number, segment in result.inside)}
                partition.sets.write(commit, plan.workspace, segment, move)

        def said(reply: asyncio.Future[bool]) -> None:
            """Only if the store is the one that was read: one that was emptied or taken back refuses the
            commit, and has not drifted."""
            if reply.cancelled() or reply.exception() is not None or not reply.result():
                return
            metrics.DRIFTED.inc()
            _log.error(
                "a profile was not what its history says", partition=partition.number,
                workspace=plan.workspace, profile=found.id, facts=sorted(result.drift),
                segments=sorted(moved), members=sorted(wrong), registers=result.astray, stored=altered,
            )  # fmt: skip

        reply = await self._walks.send(partition.seal(write), f"audit/{plan.revision}")
        reply.add_done_callback(said)


class _Found(NamedTuple):
    """What was read of a profile; `held` is its state in memory when that began, `right` whether it is what
    was counted and `written` (its registers by history; None: that isn't whole). `done`: it is compared."""

    plan: Plan
    key: ProfileKey
    id: str
    held: bytes | None
    stored: bytes
    members: dict[str, bool]
    inside: Collection[str]
    counted: Counted
    written: Profile | None
    right: bool
    done: asyncio.Event


class _Result:
    drift: frozenset[int] = frozenset()
    astray: Sequence[str] = ()
    transitions: Sequence[Transition] = ()
    inside: Collection[str] = ()
    number: int = 0


def _examined(
    recounts: Recounts,
    id_: str,
    profile: Profile,
    past: Sequence[Past],
    since_ms: int | None,
    partial: Collection[int],
    lists: ListVersions | None,
    now_ms: int,
) -> tuple[Counted, Profile | None, bool]:
    """What history says, with `lists`: of its registers, too; and whether the profile is that.

    History is whole from `since_ms` on, but not for the facts that are `partial`. The profile is changed."""
    facts = _whole(recounts, since_ms, partial, now_ms) if past else frozenset[int]()
    written = None if lists is None else rewritten(past, lists)
    wrong = [] if written is None else astray(profile, written)
    counted = recounts.count(profile, past, facts, {}, now_ms)
    drift = drifted(recounts.plan, profile, counted, now_ms)
    transitions = repair(recounts, id_, profile, counted, drift, now_ms)
    return counted, written, not (drift or transitions or wrong)


def _whole(recounts: Recounts, since_ms: int | None, partial: Collection[int], now_ms: int) -> frozenset[int]:
    """The facts of which all history is there."""
    whole = recounts.plan.tracks.keys() - partial
    whole -= recounts.beyond(since_ms, now_ms)
    return recounts.closed(whole) & whole


def _inside(profile: Profile) -> set[str]:
    return {each for each, kept in profile.memberships.items() if kept.entered_ms is not None}
