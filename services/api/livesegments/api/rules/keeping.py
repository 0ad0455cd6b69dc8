"""Keeps segments up in the background: begins the runs of sources that are due, and carries rules out.

Whoever is in the segment of a rule has a value without a segment (module `rest`). So nobody looks for values:
once a second one process counts the members of these segments, and where somebody is in one, reads their
values. One change of the catalogue makes the segments of those and lets the rule know the values, or does
nothing of it; so a process that dies, or two that do it at once, make no segment twice. A rule is looked at
again when its own segment is ready: then its members are those with yet other values.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec
import structlog
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from livesegments.api.context import Context
from livesegments.api.rules import of_values
from livesegments.api.rules.rest import has_room, known, named, rest
from livesegments.api.rules.rules import limited, state
from livesegments.api.segments import editing
from livesegments.api.sources.scheduling import run_if_due
from livesegments.api.web.publisher import NotPublished
from livesegments.core.definition import Scalar
from livesegments.store import keys
from livesegments.store.actor import Actor, act_as
from livesegments.store.changes import NotRestored
from livesegments.store.client import Away
from livesegments.store.seen import Restoring
from livesegments.store.snapshot import Snapshot
from livesegments.store.turn import TURN_S, Turn
from livesegments.wire.catalog import Segment, Workspace

LOOK_S = 1.0
PAGE = 1_000
MOST_READ = 20_000
"""Members whose values are read at a time."""

_log = structlog.get_logger(__name__)


class Keeper:
    """`run` carries rules out until it is cancelled: in one process of the api at a time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._turn = Turn(context.redis, keys.RULES_TURN)
        self._ours = False

    async def run(self) -> None:
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                try:
                    self._ours = await (self._turn.renew() if self._ours else self._turn.take())
                    if self._ours:
                        async with asyncio.timeout(TURN_S):
                            await self.look()
                except (
                    Away,
                    Restoring,
                    NotRestored,
                    NotPublished,
                    KafkaError,
                    OSError,
                    TimeoutError,
                ) as error:
                    _log.warning("rules can't be carried out now", error=repr(error))
        finally:
            if self._ours:
                with suppress(Away):
                    await self._turn.give()

    async def look(self) -> None:
        """Every rule once."""
        for workspace_id, id_ in await self._context.kept.all():
            workspace = await self._context.catalog.workspace(workspace_id)
            segment = await self._context.catalog.segment(workspace_id, id_) if workspace else None
            if workspace is not None and segment is not None and segment.source is not None:
                await run_if_due(self._context, segment)
            elif workspace is None or segment is None or segment.rule is None:
                await self._context.kept.drop(workspace_id, id_, self._context.now_ms())
            elif not segment.rule.paused:
                await self._carry_out(limited(self._context, workspace), segment)

    async def _carry_out(self, workspace: Workspace, own: Segment) -> None:
        members = self._context.members
        asked = {own.id: own.definition_version}
        size = (await members.sizes(workspace.id, asked, workspace.timezone))[own.id]
        if not size.count or size.progress.state != "ready":
            return
        if state(await self._context.catalog.segments(workspace.id), workspace, own) != "running":
            return
        values = await self._values(own)
        if not values:
            return
        now_ms, made = self._context.now_ms(), 0

        async def decide(snapshot: Snapshot) -> Sequence[Segment]:
            nonlocal made
            found = list(_decided(snapshot, workspace, own.id, values, now_ms))
            made = len(found) - 1
            return found

        act_as(Actor(f"rule {own.id}"))
        sequence = await self._context.catalog.put_segments(workspace.id, decide)
        await self._context.publisher.published(sequence)
        _log.info("a rule has made segments", workspace=workspace.id, rule=own.id, segments=made)

    async def _values(self, own: Segment) -> list[Scalar]:
        """Those that members have now, each once, as they come."""
        assert own.rule is not None
        found: dict[str, Scalar] = {}
        after = None
        for _ in range(MOST_READ // PAGE):
            ids, after = await self._context.members.page(own.workspace, own.id, after, PAGE)
            for profile in (await self._context.profiles.get(own.workspace, ids)).values():
                register = profile.attributes.get(own.rule.attribute)
                if register is not None and named(register.value):
                    found.setdefault(_key(register.value), register.value)
            if after is None or len(found) >= own.rule.most:
                break
        return list(found.values())


def _decided(
    snapshot: Snapshot, workspace: Workspace, id_: str, values: Sequence[Scalar], now_ms: int
) -> Iterator[Segment]:
    """The segments of new values, and the rule that knows them: as many as there is room for."""
    own = snapshot.segments.get(id_)
    if own is None or own.rule is None or state(snapshot, workspace, own) != "running":
        return
    old = known(own.definition)
    there, taken = {_key(value) for value in old}, list[Scalar]()
    room = editing.most_segments(workspace.quotas) - len(snapshot.segments)
    for value in values:
        full = len(old) + len(taken) >= own.rule.most or len(taken) >= room
        if full or not has_room(own.definition, taken):
            break
        if _key(value) not in there:
            taken.append(value)
    if not taken:
        return
    told = [msgspec.json.encode(value).decode() for value in taken]
    form = replace(own.rule, name=own.rule.name or f"{own.rule.attribute}: {of_values.PLACE}")
    for segment, _ in of_values.made(snapshot, workspace, form, told, now_ms, own.id):
        yield segment
    yield replace(
        own,
        version=own.version + 1,
        definition_version=own.definition_version + 1,
        updated_ms=max(now_ms, own.updated_ms),
        definition=rest(own.rule.attribute, [*old, *taken]),
    )


def _key(value: Scalar) -> str:
    return of_values.key(msgspec.json.encode(value).decode())
