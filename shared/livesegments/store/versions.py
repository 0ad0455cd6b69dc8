"""Former definitions of segments, the newest `KEPT`: so the past can be asked by what was served then.

Example: "lapsed" had its definition number 3 since May and gets number 4 in July. The change that writes the
segment with number 4 also writes number 3 beside it, from May to July. So an edit costs one more entry, a
new segment none. Both go to topic `definitions`, and come back from there with everything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from livesegments.store import keys
from livesegments.store.actor import acting
from livesegments.store.changes import Put
from livesegments.store.client import Client
from livesegments.store.places import gone, put
from livesegments.store.snapshot import Snapshot
from livesegments.wire import catalog as wire
from livesegments.wire.catalog import Segment, Version

KEPT = 100
"""Versions of a segment, the present one among them."""


def stamped(snapshot: Snapshot, segment: Segment) -> Segment:
    """A segment as it is written: since when it has its definition, and whose that is."""
    old = snapshot.segments.get(segment.id)
    if old is not None and old.definition_version == segment.definition_version:
        return replace(segment, defined_ms=old.defined_ms, defined_by=old.defined_by)
    return replace(segment, defined_ms=segment.updated_ms, defined_by=acting().name)


def former(snapshot: Snapshot, segments: Iterable[Segment]) -> list[Put]:
    """What is written beside segments: their definitions so far, where they get another."""
    puts = []
    for segment in segments:
        old = snapshot.segments.get(segment.id)
        if old is None or old.definition_version == segment.definition_version:
            continue
        puts.append(put(present(old, segment.updated_ms)))
        last = segment.definition_version - KEPT
        if last > snapshot.retired.get(segment.id, 0):
            puts.append(gone(replace(present(old, 0), version=last)))
    return puts


def deleted(snapshot: Snapshot, segments: Iterable[Segment]) -> list[Put]:
    """Nothing stays of the definitions of segments that are deleted."""
    return [
        gone(replace(present(segment, 0), version=version))
        for segment in segments
        for version in range(
            max(snapshot.retired.get(segment.id, 0), segment.definition_version - KEPT) + 1,
            segment.definition_version,
        )
    ]


def present(segment: Segment, until_ms: int) -> Version:
    """The present definition. Where it was not noted since when it is, that is the instant of the last edit,
    or of the segment's making."""
    noted = segment.defined_ms or (
        segment.updated_ms if segment.definition_version > 1 else segment.created_ms
    )
    return Version(
        segment.workspace,
        segment.id,
        segment.definition_version,
        noted,
        until_ms,
        segment.defined_by,
        segment.definition,
    )


class Versions:
    """As they are stored. Raises Away."""

    def __init__(self, store: Client) -> None:
        self._redis: Any = store

    async def of(self, segment: Segment) -> list[Version]:
        """The former definitions of a segment, the newest first."""
        newest = segment.definition_version - 1
        fields = [f"{segment.id}/{each}" for each in range(newest, max(newest - KEPT, 0), -1)]
        if not fields:
            return []
        found = await self._redis.hmget(keys.catalog_versions(segment.workspace), fields)
        return [_version(data) for data in found if data is not None]


def _version(data: bytes) -> Version:
    entry = wire.decode(data)
    assert isinstance(entry, Version)
    return entry
