"""A partition is made anew from a checkpoint: the store lost it, or the log forgot what the store lacks.

Example: the store was emptied, the newest checkpoint is of commit 4,711 and offset 900. What is left of the
partition's keys is removed, then the states are written in batches, and from them what follows from them:
members, due times. The last write is the head, with commit 4,711: only from then on the partition counts,
and the log is read from offset 900.

While `restoring` stands in the head there is no commit in it. So after a death on the way the rebuilding
begins again, and readers know that not all profiles are there. Every write names the owner, and fails once
there is another.

The last write also says up to which offset the log must be applied again (`upto`): where it ended when the
loss was noticed. From then on module `returning` says when the partition is again what it was.

A partition that another version has stored, in a form that this one doesn't read, is made anew in the same
way: from a checkpoint of this version, or else from the log, if it is there from its first record on. Where
neither is possible nothing is removed (`Foreign`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from livesegments.core.profile import decode
from livesegments.core.states import STATES
from livesegments.evaluator.commits.flight import Refused
from livesegments.evaluator.ports import Ports
from livesegments.history.mark import Mark, Row, Saved, newest, resolved
from livesegments.history.protocol import Written, encode_written, written
from livesegments.history.ranges import Range, parse
from livesegments.history.workshop import FilesAway, FilesGone
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.commit import Restore
from livesegments.store.erasures import SEARCH
from livesegments.store.shard import Head
from livesegments.wire.profilekey import ProfileKey, profile_key

T = TypeVar("T")

RETRY_S = 1.0
UNLINKED = 1_000
"""Keys that are removed at once."""
AHEAD = 2
"""Batches under way."""

_log = structlog.get_logger(__name__)


class Rebuilt(Exception):
    """The partition is stored as a checkpoint has it: claim it anew."""


class Foreign(Exception):
    """Another version has stored the partition, and it can't be made anew."""


class Log(NamedTuple):
    """What there is of the log: offsets [first, end)."""

    first: int
    end: int


async def rebuild(number: int, head: Head, token: str, ports: Ports, log: Log) -> bool:
    """False if no checkpoint is of use: then the stored state is all there is.

    Raises Refused where the partition went to another owner, Foreign, and what the shard raises.
    """
    beyond = head.offset if head.commit else -1
    if head.foreign:
        beyond = log.first - 1
    damaged: set[str] = set()
    while True:
        marks = await _steadily(lambda: ports.history.marks(number))
        usable = (mark for mark in marks if mark.name not in damaged)
        mark = newest(usable, ports.log.topic, beyond)
        if mark is None and head.foreign:
            await _from_the_log(number, head, token, ports, log)
            return True
        if mark is None:
            if head.restoring or damaged:
                await _clear(number, token, ports)
            if not head.commit or damaged:
                await _write(ports, token, _ended(number, log.first, _life(token, log.end, ports)))
            return False
        _log.warning("made anew from a checkpoint", partition=number, commit=mark.commit, offset=mark.offset)
        try:
            await _restore(mark, token, ports, log)
        except FilesGone as error:
            _log.error("a checkpoint can't be used", partition=number, error=str(error))
            damaged.add(mark.name)
        except FilesAway as error:
            await _away(error)
        else:
            return True


async def _from_the_log(number: int, head: Head, token: str, ports: Ports, log: Log) -> None:
    """What another version has stored goes, and the log is read from its first record on."""
    if log.first or head.recreated:
        _log.error(
            "another version has stored this partition, and neither a checkpoint of this version nor the"
            " whole log is there: see docs/recovery.md",
            partition=number, states=STATES, first=log.first,
        )  # fmt: skip
        raise Foreign(f"partition {number}")
    _log.warning("made anew from the log: another version has stored it", partition=number, states=STATES)
    await _clear(number, token, ports)
    await _write(ports, token, _ended(number, log.first, _life(token, log.end, ports)))


async def _restore(mark: Mark, token: str, ports: Ports, log: Log) -> None:
    number, done = mark.partition, 0
    there = await ports.history.ranges(number, 0.0)
    under_way: deque[asyncio.Future[bool]] = deque()
    dense = mark.hashes.get(keys.dense(number), {})
    async with aclosing(ports.history.load(mark)) as batches:
        batch = await anext(batches, None)  # nothing is removed before the file has shown that it can be read
        await _clear(number, token, ports)
        while batch is not None:
            count, rows = batch
            done += len(rows)
            under_way.append(ports.shard.commit(token, _batch(number, rows, done, count, dense)))
            while len(under_way) > AHEAD:
                await _applied(under_way.popleft())
            metrics.RESTORED.inc(len(rows))
            batch = await anext(batches, None)
    for reply in under_way:
        await _applied(reply)
    await _write(ports, token, _whole(mark, there, done, _life(token, log.end, ports)))


async def _clear(number: int, token: str, ports: Ports) -> None:
    """What is stored counts no more, and is removed."""
    begun = Restore(number)
    begun.drop_fields(keys.head(number), ["commit", "offset", "clock", "catalog"])
    begun.put_fields(keys.head(number), {"restoring": "0 0", "states": str(STATES)})
    await _write(ports, token, begun)
    found = await ports.shard.keys()
    for start in range(0, len(found), UNLINKED):
        removal = Restore(number)
        removal.unlink(found[start : start + UNLINKED])
        await _write(ports, token, removal)


def _batch(number: int, rows: Sequence[Row], done: int, count: int, dense: Collection[str]) -> Restore:
    """States, and the members and dues that follow from them. `dense`: as in `{p}:dense`."""
    batch = Restore(number)
    states: dict[str, dict[str, str | bytes]] = {}
    members: dict[tuple[str, str], dict[str, int]] = {}
    dues: dict[ProfileKey, int] = {}
    recounts: dict[str, str | bytes] = {}
    ids: dict[str, dict[str, str | bytes]] = {}
    for workspace, id_, state in rows:
        assert state is not None
        states.setdefault(workspace, {})[id_] = state
        profile = decode(state)
        ids.setdefault(workspace, {})[str(profile.number)] = id_
        for segment, membership in profile.memberships.items():
            if membership.entered_ms is not None:
                members.setdefault((workspace, segment), {})[id_] = profile.number
        if profile.wake_at is not None:
            dues[profile_key(workspace, id_)] = profile.wake_at
        if profile.taken is not None and profile.taken.waiting:
            recounts[profile_key(workspace, id_)] = b""
    for workspace, fields in states.items():
        batch.put_fields(keys.profiles(number, workspace), fields)
    for (workspace, segment), scores in members.items():
        if f"{workspace}\0{segment}" in dense:
            batch.set_bits(keys.bits(number, workspace, segment), dict.fromkeys(scores.values(), True))
        else:
            batch.score(keys.members(number, workspace, segment), scores)
    for workspace, fields in ids.items():
        batch.put_fields(keys.ids(number, workspace), fields)
    if recounts:
        batch.put_fields(keys.recounts(number), recounts)
    if dues:
        batch.score(keys.due(number), dues)
    batch.put_fields(keys.head(number), {"restoring": f"{done} {count}"})
    return batch


def _whole(mark: Mark, there: Iterable[Range], profiles: int, life: Mapping[str, str]) -> Restore:
    """The rest, and the head: from here on the partition has a commit."""
    number, last = mark.partition, Restore(mark.partition)
    for key, fields in mark.hashes.items():
        last.put_fields(key, dict(fields))
    if keys.suppressed(number) in mark.hashes:
        last.put_fields(keys.erasures(number), {SEARCH: "1"})
    last.put_fields(keys.archive(number), _register(mark, there))
    saved = msgspec.json.encode(Saved(profiles, 0, mark.offset, mark.commit))
    last.put_fields(keys.checkpoint(number), {mark.name: saved})
    head = {"commit": str(mark.commit), "offset": str(mark.offset), "catalog": str(mark.catalog)}
    head |= life
    if mark.clock_ms is not None:
        head["clock"] = str(mark.clock_ms)
    last.put_fields(keys.head(number), dict[str, str | bytes](head))
    last.drop_fields(keys.head(number), ["restoring"])
    return last


def _register(mark: Mark, there: Iterable[Range]) -> dict[str, str | bytes]:
    """The archive as of the mark. Where files are missing it is left as it was: the archiver says so."""
    named = {range_: data for name, data in mark.archive.items() if (range_ := parse(name)) is not None}
    files = resolved(mark, there)
    if files and files[-1].last == max(each.last for each in named):
        return {each.name: named.get(each) or _merged(each, named) for each in files}
    return dict(mark.archive)


def _merged(whole: Range, named: dict[Range, str]) -> bytes:
    """What was said of the parts that are one file now, together."""
    parts = [written.decode(data) for each, data in named.items() if whole.first <= each.first <= whole.last]
    firsts = [each.first_ms for each in parts if each.first_ms is not None]
    lasts = [each.last_ms for each in parts if each.last_ms is not None]
    return encode_written(
        Written(
            sum(each.events for each in parts),
            sum(each.transitions for each in parts),
            sum(each.bytes for each in parts),
            min(firsts, default=None),
            max(lasts, default=None),
        )
    )


def _ended(number: int, first: int, life: Mapping[str, str]) -> Restore:
    """There is nothing to begin with but the log."""
    ended = Restore(number)
    ended.put_fields(keys.head(number), {"offset": str(first), **life})
    ended.drop_fields(keys.head(number), ["restoring"])
    return ended


async def taken_back(number: int, token: str, ports: Ports, end: int) -> None:
    """Of a stored state that is older than what was applied once, up to offset `end`: it goes on from there.

    Raises Refused, and what the shard raises."""
    older = Restore(number)
    older.put_fields(keys.head(number), dict[str, str | bytes](_life(token, end, ports)))
    await _write(ports, token, older)


def _life(token: str, end: int, ports: Ports) -> dict[str, str]:
    """Tells readers that it is another life than the one before, and that it is not whole before it has come
    to this offset and this revision of the catalogue again."""
    return {"restored": token, "upto": str(end), "again": str(ports.plans.revision)}


async def _write(ports: Ports, token: str, restore: Restore) -> None:
    await _applied(ports.shard.commit(token, restore))


async def _applied(reply: asyncio.Future[bool]) -> None:
    if not await reply:
        raise Refused


async def _steadily(what: Callable[[], Awaitable[T]]) -> T:
    """Until it has been done: without it nobody knows where to begin."""
    while True:
        try:
            return await what()
        except FilesAway as error:
            await _away(error)


async def _away(error: FilesAway) -> None:
    metrics.ARCHIVE_FAILURES.inc()
    _log.warning("the archive can't be reached", error=str(error))
    await asyncio.sleep(RETRY_S)
