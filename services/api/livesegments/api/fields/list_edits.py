"""Decisions about an edit of a value list, on one snapshot of a workspace: they may be repeated.

Example: the list `winter` is replaced, and 3 segments name it. Its new content is written in parts, then the
list, then the 3 segments as new versions of their definitions, all in one change. Partitions stage these
like any edit: they serve the old content until the new one has its history. So a former content is kept
for `KEPT_MS`, but only the newest `FORMERS`.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from livesegments.api.web.problems import QUOTA, Problem, not_found
from livesegments.core.definition import Computed, Node
from livesegments.core.fault import Fault
from livesegments.core.value_list import named, referring
from livesegments.store import versions
from livesegments.store.changes import Put
from livesegments.store.contents import StoredContents, cut
from livesegments.store.places import gone, put
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import ComputedAttribute, Former, Segment, ValueList

MAX_LISTS = 100
MAX_VALUES = 2_000_000
"""Of all lists of a workspace together."""
PART_BYTES = 256 * 1024
KEPT_MS = 86_400_000
FORMERS = 32
MAX_NAMED = 20
QUOTA_LISTS = f"{QUOTA}value_lists"


async def replacing(
    snapshot: Snapshot,
    contents: StoredContents,
    workspace: str,
    id_: str,
    digest: str,
    values: list[Any],
    size: int,
    now_ms: int,
) -> list[Put]:
    """A list's content, and all that follows from it; nothing where it has just this. Raises Problem 409."""
    old = snapshot.lists.get(id_)
    if old is not None and old.deleted_ms is None and old.digest == digest:
        return []
    _within(snapshot, id_, len(values))
    entry = ValueList(
        workspace,
        id_,
        1 if old is None else old.version + 1,
        digest,
        len(values),
        size,
        now_ms if old is None or old.deleted_ms is not None else old.created_ms,
        now_ms if old is None else max(now_ms, old.updated_ms),
        _formers(old, digest, now_ms),
    )
    parts = [] if await contents.has(workspace, digest) else cut(workspace, digest, values, PART_BYTES)
    lists = snapshot.lists | {id_: entry}
    segments = [_following(each, {**snapshot.digests, id_: digest}, now_ms) for each in snapshot.naming(id_)]
    digests = {**snapshot.digests, id_: digest}
    computed = [_measuring(each, digests, now_ms) for each in snapshot.computed_naming(id_)]
    former = versions.former(snapshot, segments)
    segments = [versions.stamped(snapshot, each) for each in segments]
    puts = [*map(put, parts), put(entry), *former, *map(put, computed), *map(put, segments)]
    return [*puts, *await _dropped(snapshot, lists, contents, workspace, now_ms)]


async def deleting(
    snapshot: Snapshot, contents: StoredContents, workspace: str, id_: str, now_ms: int
) -> list[Put]:
    """Raises Problem 404, or 409 while segments name it, naming them."""
    old = existing(snapshot, id_)
    using = snapshot.naming(id_)
    if using:
        faults = [
            Fault(pointer="", code="in_use", message=f"segment '{each.id}' ({each.name}) names it")
            for each in using[:MAX_NAMED]
        ]
        raise Problem(409, f"{len(using)} segment(s) name the value list '{id_}'; edit them first.", faults)
    measuring = snapshot.computed_naming(id_)
    if measuring:
        faults = [Fault("", "in_use", f"computed attribute '{each.id}' names it") for each in measuring]
        raise Problem(409, f"Computed attributes name the value list '{id_}'; edit them first.", faults)
    entry = replace(old, deleted_ms=now_ms)
    dropped = await _dropped(snapshot, snapshot.lists | {id_: entry}, contents, workspace, now_ms)
    return [put(entry), *dropped]


def existing(snapshot: Snapshot, id_: str) -> ValueList:
    found = snapshot.lists.get(id_)
    if found is None or found.deleted_ms is not None:
        raise not_found("value list", id_)
    return found


def _within(snapshot: Snapshot, id_: str, count: int) -> None:
    others = [each for each in snapshot.lists.values() if each.deleted_ms is None and each.id != id_]
    total = sum(each.count for each in others) + count
    if len(others) >= MAX_LISTS:
        told = f"the workspace has {MAX_LISTS} value lists, the most: delete some"
    elif total > MAX_VALUES:
        told = f"the workspace's value lists would have {total} values together; at most {MAX_VALUES}"
    else:
        return
    raise Problem(409, "The workspace's value lists are at their bound.", [Fault("", QUOTA_LISTS, told)])


def _following(segment: Segment, digests: dict[str, str], now_ms: int) -> Segment:
    assert segment.definition is not None
    return replace(
        segment,
        version=segment.version + 1,
        definition_version=segment.definition_version + 1,
        updated_ms=max(now_ms, segment.updated_ms),
        definition=referring(segment.definition, digests),
    )


def _measuring(found: ComputedAttribute, digests: dict[str, str], now_ms: int) -> ComputedAttribute:
    node = referring(found.definition, digests)
    assert isinstance(node, Computed)
    updated_ms = max(now_ms, found.updated_ms)
    return replace(found, version=found.version + 1, updated_ms=updated_ms, definition=node)


def _formers(old: ValueList | None, digest: str, now_ms: int) -> tuple[Former, ...]:
    """The newest first."""
    if old is None:
        return ()
    until_ms = now_ms if old.deleted_ms is None else old.deleted_ms
    before = (Former(old.digest, until_ms), *old.formers)
    kept = (each for each in before if each.digest != digest and now_ms - each.until_ms < KEPT_MS)
    return tuple(kept)[:FORMERS]


async def _dropped(
    snapshot: Snapshot,
    lists: dict[str, ValueList],
    contents: StoredContents,
    workspace: str,
    now_ms: int,
) -> list[Put]:
    """What goes: lists that were deleted long ago, and contents that no list has any more."""
    left = [each for each in lists.values() if now_ms - (each.deleted_ms or now_ms) < KEPT_MS]
    kept = {digest for each in left for digest in _digests(each)}
    kept |= {digest for each in snapshot.segments.values() for digest in _named(each.definition)}
    kept |= {digest for node in snapshot.measures.values() for digest in _named(node)}
    lost = {digest for each in snapshot.lists.values() for digest in _digests(each)} - kept
    puts = [gone(each) for id_, each in snapshot.lists.items() if lists[id_] is each and each not in left]
    for digest in sorted(lost):
        puts += map(gone, await contents.parts(workspace, digest))
    return puts


def _digests(value_list: ValueList) -> list[str]:
    return [value_list.digest, *(each.digest for each in value_list.formers)]


def _named(node: Node | None) -> list[str]:
    return [] if node is None else [digest for digest in named(node).values() if digest is not None]
