"""A stand-in for the archive's files: the port `History` on a dictionary."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from livesegments.core.backfill import Past
from livesegments.core.bulk import Bulk
from livesegments.core.event import MERGE, PROFILE, RETRACT, Event, derived_from
from livesegments.core.handed import Handed
from livesegments.evaluator.commits.outcome import blank
from livesegments.history.columns import Columns, written
from livesegments.history.filled import fill
from livesegments.history.lives import up_to
from livesegments.history.mark import Mark, Row, Saved, Spool
from livesegments.history.protocol import (
    Chunk,
    Fields,
    Filled,
    Life,
    Of,
    Person,
    Piece,
    Pruned,
    Pruning,
    Purged,
    Wanted,
    Written,
)
from livesegments.history.pruning import unname
from livesegments.history.ranges import Range, parse
from livesegments.history.workshop import FilesGone
from livesegments.store import keys
from livesegments.store.tail import Entry, applied, decode_fields, instants
from livesegments.wire.pack import Packed, decode, encode
from livesegments.wire.suppressed import digest
from tests.simulation.memory import MemoryStore

CHUNK = 3
EVER = 2**62
"""Profiles."""


def without(commit: int, entry: Entry, persons: Sequence[Person], counts: bool) -> Entry:
    """An entry of the tail without what was of persons who were erased later."""

    def gone(workspace: str, profile: str, at_ms: int) -> bool:
        return any(
            (each.workspace, each.profile) == (workspace, profile)
            and (commit <= each.upto or (not counts and at_ms <= each.at_ms))
            for each in persons
        )

    record, left_out, told = entry.record, tuple(entry.left_out), entry.told
    if record is not None:
        packed = decode(record)
        assert isinstance(packed, Packed | Handed)
        at_ms = instants(entry, packed.events)
        places = {
            place for place, e in enumerate(packed.events) if gone(e.workspace, e.profile, at_ms[place])
        }
        if places:
            left_out = tuple(sorted({*left_out, *places}))
            kept = [blank(e) if place in places else e for place, e in enumerate(packed.events)]
            record = encode(Packed(kept))
    if any(gone(each.workspace, each.profile, each.at_ms) for each in entry.transitions):
        told = msgspec.msgpack.encode(
            [each for each in entry.transitions if not gone(each.workspace, each.profile, each.at_ms)]
        )
    derived = [each for each in entry.derived if each[0] not in left_out]
    if (record, told) == (entry.record, entry.told):
        return entry
    return replace(entry, record=record, left_out=left_out, derived=derived, told=told)


def young(entry: Entry, before: Mapping[str, int]) -> tuple[Entry, set[str]]:
    """An entry without what is older than a workspace keeps it, and the workspaces that lost any of it."""

    def old(event: Event) -> bool:
        first_ms = before.get(event.workspace)
        stays = event.name in (PROFILE, RETRACT, MERGE, "")
        return first_ms is not None and event.time_ms < first_ms and not stays

    record, derived = entry.record, [each for each in entry.derived if not old(each[1])]
    lost = {event.workspace for _, event in entry.derived if old(event)}
    if record is not None:
        packed = decode(record)
        if isinstance(packed, Packed):
            places = {place for place, event in enumerate(packed.events) if old(event)}
            places -= set(entry.left_out)
            if places:
                lost |= {packed.events[place].workspace for place in places}
                events = packed.events
                kept = [blank(each) if place in places else each for place, each in enumerate(events)]
                left_out = tuple(sorted({*entry.left_out, *places}))
                record = encode(Packed(kept))
                return replace(entry, record=record, left_out=left_out, derived=derived), lost
    return (replace(entry, derived=derived) if lost else entry), lost


def _preceding(rows: Sequence[Row], workspace: str, profile: str) -> str:
    return max((id_ for of, id_, _ in rows if of == workspace and id_ < profile), default="")


class Rows(Spool):
    """In memory."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def put(self, rows: Sequence[Row]) -> None:
        self.rows += rows

    def drop(self) -> None:
        pass


class MemoryFiles:
    """`pause` is awaited around every call, as in `memory`."""

    def __init__(self, pause: Callable[[], Awaitable[None]], store: MemoryStore) -> None:
        self.store = store
        self.files: dict[int, dict[Range, list[tuple[int, Entry]]]] = {}
        self.checkpoints: dict[int, dict[str, tuple[Mark, list[Row]]]] = {}
        self._pause = pause

    async def write(self, partition: int, of: Range, entries: Sequence[tuple[int, Entry]]) -> Written:
        await self._pause()
        self.files.setdefault(partition, {})[of] = list(entries)
        await self._pause()
        return Written(len(entries), 0, len(entries))

    async def merge(self, partition: int, parts: Sequence[Range], of: Range) -> Written:
        await self._pause()
        stored = self.files[partition]
        return await self.write(partition, of, [entry for part in parts for entry in stored[part]])

    async def remove(self, partition: int, ranges: Sequence[Range]) -> None:
        await self._pause()
        for each in ranges:
            self.files.get(partition, {}).pop(each, None)
        await self._pause()

    async def ranges(self, partition: int, older_s: float) -> Sequence[Range]:
        """No file is old enough to be removed here."""
        await self._pause()
        return [] if older_s else sorted(self.files.get(partition, {}))

    async def prune(
        self,
        partition: int,
        registered: Sequence[Range],
        persons: Sequence[Person],
        by: str,
        key: str,
    ) -> Pruning:
        await self._pause()
        pruned = []
        for old, entries in list(self.files.get(partition, {}).items()):
            counts = old in registered
            kept = [(commit, without(commit, entry, persons, counts)) for commit, entry in entries]
            if kept != entries:
                new = old.anew(by)
                pruned.append(Pruned(old, new, await self.write(partition, new, kept)))
        await self._pause()
        return Pruning(pruned)

    async def retain(
        self, partition: int, registered: Sequence[Range], before: Mapping[str, int], by: str
    ) -> Pruning:
        """One file a call."""
        await self._pause()
        for old in registered:
            entries = self.files[partition][old]
            aged = [(commit, young(entry, before)) for commit, entry in entries]
            lost = {workspace for _, (_, lost) in aged for workspace in lost}
            if lost:
                new = old.anew(by)
                kept = [(commit, entry) for commit, (entry, _) in aged]
                return Pruning([Pruned(old, new, await self.write(partition, new, kept))], sorted(lost))
        return Pruning()

    async def seek(
        self, partition: int, registered: Sequence[Range], digests: Sequence[str], key: str
    ) -> Sequence[Person]:
        await self._pause()
        strays = self.files.get(partition, {}).keys() - set(registered)
        met = {(event.workspace, event.profile) for _, event in self.history(partition, sorted(strays))}
        return [Person(*each, EVER, EVER, EVER) for each in sorted(met) if digest(key, *each) in digests]

    async def purge(
        self, partition: int, topic: str, persons: Sequence[Person], fields: Sequence[Fields], by: str
    ) -> Sequence[Purged]:
        await self._pause()
        purged = []
        for name, (mark, rows) in list(self.checkpoints.get(partition, {}).items()):
            offset = mark.offset if mark.topic == topic else -1
            gone = {(each.workspace, each.profile) for each in persons if offset <= each.offset}
            hashes = {hash_: dict(found) for hash_, found in mark.hashes.items()}
            for before, added in fields:
                if offset < before:
                    for hash_, found in added.items():
                        hashes.setdefault(hash_, {}).update(found)
            kept = [row for row in rows if row[:2] not in gone]
            leaving = [each for each in persons if offset <= each.offset]
            unname(partition, hashes, leaving, partial(_preceding, kept))
            new = replace(mark, by=by, hashes=hashes)
            self.checkpoints[partition][new.name] = new, kept
            purged.append(Purged(name, new.name, Saved(len(kept), 0, mark.offset)))
        await self._pause()
        return purged

    async def discard(self, partition: int, names: Sequence[str]) -> None:
        await self._pause()
        for name in names:
            self.checkpoints.get(partition, {}).pop(name, None)
        await self._pause()

    async def lives(
        self,
        partition: int,
        ranges: Sequence[Range],
        entries: Sequence[tuple[int, Entry]],
        wanted: Sequence[Life],
    ) -> AsyncIterator[Piece]:
        await self._pause()
        if not set(ranges) <= self.files.get(partition, {}).keys():
            raise FilesGone("a file is not there")  # an erasure has just written it anew
        found = [each for of in ranges for each in self.files[partition][of]] + list(entries)
        events = [each for commit, entry in found for each in applied(commit, entry) if each.cause is None]
        for index, life in enumerate(wanted):
            places = {
                (each.commit, each.place): each.event
                for each in events
                if (each.event.workspace, each.event.profile) == (life.workspace, life.profile)
            }
            past = up_to(life, places)
            chunks = [past[at : at + CHUNK] for at in range(0, len(past), CHUNK)] or [[]]
            for chunk, each in enumerate(chunks):
                await self._pause()
                yield Piece(index, chunk, each, chunk == len(chunks) - 1)

    def spool(self) -> Rows:
        return Rows()

    async def save(self, mark: Mark, scanned: Spool, images: Spool) -> Saved:
        await self._pause()
        assert isinstance(scanned, Rows) and isinstance(images, Rows)
        before = {row[:2]: row[2] for row in images.rows}
        met = {row[:2]: before.get(row[:2], row[2]) for row in scanned.rows}
        rows: list[Row] = [(*key, state) for key, state in met.items() if state is not None]
        self.checkpoints.setdefault(mark.partition, {})[mark.name] = mark, rows
        await self._pause()
        return Saved(len(rows), 0, mark.offset)

    async def marks(self, partition: int) -> Sequence[Mark]:
        await self._pause()
        return [mark for mark, _ in self.checkpoints.get(partition, {}).values()]

    async def load(self, mark: Mark) -> AsyncGenerator[tuple[int, list[Row]]]:
        await self._pause()
        _, rows = self.checkpoints[mark.partition][mark.name]
        for start in range(0, len(rows), CHUNK):
            await self._pause()
            yield len(rows), rows[start : start + CHUNK]

    async def forget(self, partition: int, older_s: float, but: Sequence[str]) -> None:
        """Every file is old enough to be removed here."""
        await self._pause()
        stored = self.checkpoints.get(partition, {})
        for name in stored.keys() - set(but):
            del stored[name]

    async def scan(
        self, partition: int, ranges: Sequence[Range], wanted: Wanted
    ) -> AsyncIterator[tuple[float, Sequence[Filled]]]:
        found: dict[str, list[Past]] = {}
        for commit, event in self.history(partition, ranges):
            ours = event.workspace == wanted.workspace and event.profile > wanted.after
            if ours and event.name in wanted.names and event.time_ms >= wanted.since.get(event.name, 0):
                found.setdefault(event.profile, []).append((commit, event))
        profiles = sorted(found)
        for start in range(0, len(profiles), CHUNK):
            await self._pause()
            bulk = Bulk(wanted.order) if wanted.order is not None else None
            share = min(1.0, (start + CHUNK) / len(profiles))
            pasts = [
                (id_, sorted(found[id_], key=lambda each: (each[1].time_ms, each[1].id)))
                for id_ in profiles[start : start + CHUNK]
            ]
            if wanted.columns:
                yield share, Columns(written(share, pasts))
                continue
            yield (
                share,
                [
                    fill(id_, past, bulk, any(event.name == RETRACT for _, event in past))
                    for id_, past in pasts
                ],
            )

    async def pasts(self, partition: int, of: Of) -> AsyncIterator[tuple[float, Chunk]]:
        """Files and tail are looked at in one moment."""
        await self._pause()
        register = self.store.hashes.get(keys.archive(partition), {})
        ranges = sorted(range_ for name in register if (range_ := parse(name)) is not None)
        if any(each not in self.files.get(partition, {}) for each in ranges):
            raise FilesGone("a file is not there")
        entries = [entry for each in ranges for entry in self.files[partition][each]]
        tail = self.store.streams.get(keys.tail(partition), {})
        entries += [(number, decode_fields(fields)) for number, fields in tail.items()]
        found: dict[str, list[Past]] = {}
        for number, entry in entries:
            events = [each.event for each in applied(number, entry)]
            events += map(derived_from, entry.transitions)
            for event in events if number <= of.upto else ():
                if (
                    event.workspace == of.workspace
                    and event.profile in of.profiles
                    and event.name in of.names
                ):
                    found.setdefault(event.profile, []).append((number, event))
        await self._pause()
        for id_, past in sorted(found.items()):
            await self._pause()
            yield 1.0, [(id_, past)]

    def history(self, partition: int, ranges: Sequence[Range]) -> list[tuple[int, Event]]:
        """(commit, event) of everything in the files of some ranges."""
        found: list[tuple[int, Event]] = []
        for of in ranges:
            for commit, entry in self.files[partition][of]:
                found += [(commit, each.event) for each in applied(commit, entry)]
                found += [(commit, derived_from(each)) for each in entry.transitions]
        return found
