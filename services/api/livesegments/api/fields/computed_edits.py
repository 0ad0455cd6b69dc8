"""Decisions about an edit of a computed attribute, on one snapshot of a workspace: they may be repeated.

Example: `spent` is edited from 30 days to 90, and 2 segments ask about it. The attribute and both segments,
with the new measure in their definitions, are written in one change. Partitions stage these like any edit:
they serve the old value until the new fact has its history.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from livesegments.api.web.problems import QUOTA, Problem, not_found
from livesegments.core.check import check
from livesegments.core.check_computed import check_computed
from livesegments.core.circle import circle_of
from livesegments.core.computed import PREFIX, asking
from livesegments.core.definition import Computed, Node
from livesegments.core.fault import Fault
from livesegments.core.value_list import shown
from livesegments.store.changes import Put
from livesegments.store.places import gone, put
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import ComputedAttribute, Segment, Workspace

MAX_COMPUTED = 100
MAX_NAMED = 20
QUOTA_COMPUTED = f"{QUOTA}computed_attributes"


def replacing(
    snapshot: Snapshot,
    workspace: Workspace,
    id_: str,
    document: dict[str, Any],
    description: str,
    now_ms: int,
) -> list[Put]:
    """The attribute, and the segments that ask about it; nothing where it is just so. Raises Problem 422 with
    all faults, 409."""
    others = {each.id: each.definition for each in snapshot.segments.values() if not each.archived_ms}
    node, faults = check_computed(
        document,
        timezone=workspace.timezone,
        others=others,
        lists=snapshot.digests,
        week_start=workspace.week_start,
    )
    if node is None:
        raise Problem(422, f"{len(faults)} fault(s) in the request.", faults)
    old = snapshot.computed.get(id_)
    if old is not None and (old.definition, old.description) == (node, description):
        return []
    if old is None and len(snapshot.computed) >= MAX_COMPUTED:
        told = f"the workspace has {MAX_COMPUTED} computed attributes, the most: delete some"
        raise Problem(409, "The workspace has all it may have.", [Fault("", QUOTA_COMPUTED, told)])
    updated_ms = now_ms if old is None else max(now_ms, old.updated_ms)
    entry = ComputedAttribute(
        workspace.id,
        id_,
        _version(snapshot, old, id_, node),
        now_ms if old is None else old.created_ms,
        updated_ms,
        node,
        description,
        old.defined_ms if old is not None and old.definition == node else updated_ms,
    )
    if old is not None and old.definition == node:
        return [put(entry)]
    return [put(entry), *map(put, following(snapshot, {id_: node}, now_ms))]


def deleting(snapshot: Snapshot, id_: str) -> list[Put]:
    """Raises Problem 404, or 409 while segments ask about it, naming them."""
    old = existing(snapshot, id_)
    using = snapshot.asking(id_)
    if using:
        told = "{} segment(s) ask about the computed attribute '{}'; edit them first."
        raise Problem(409, told.format(len(using), id_), _named(using, "asks about it", "in_use"))
    return [replace(gone(old), retired=str(old.version))]


def following(snapshot: Snapshot, changed: dict[str, Computed], now_ms: int) -> list[Segment]:
    """The segments that ask about computed attributes, with their new measures. Raises Problem 409 where a
    segment's op makes no sense any more, or segments would depend on each other in a circle."""
    found: dict[str, Segment] = {}
    for id_ in changed:
        for each in snapshot.asking(id_):
            assert each.definition is not None
            found[each.id] = replace(
                each,
                version=each.version + 1,
                definition_version=each.definition_version + 1,
                updated_ms=max(now_ms, each.updated_ms),
                definition=asking(each.definition, changed),
            )
    measures = snapshot.measures | changed
    odd = [each for each in found.values() if each.definition and _odd(each.definition, measures)]
    if odd:
        told = "The segments that ask about it compare what it would not give any more; edit them first."
        raise Problem(409, told, _named(odd, "asks about it with another kind of op", "in_use"))
    roots: dict[str, Node | None] = {each.id: each.definition for each in snapshot.segments.values()}
    roots |= {each.id: each.definition for each in found.values()}
    for each in found.values():
        assert each.definition is not None
        if circle_of(each.definition, roots, each.id):
            told = "Segments would depend on each other in a circle."
            raise Problem(409, told, _named([each], "is in the circle", "cycle"))
    return list(found.values())


def existing(snapshot: Snapshot, id_: str) -> ComputedAttribute:
    found = snapshot.computed.get(id_)
    if found is None:
        raise not_found("computed attribute", id_)
    return found


def _version(snapshot: Snapshot, old: ComputedAttribute | None, id_: str, node: Computed) -> int:
    if old is None:
        return snapshot.retired.get(PREFIX + id_, 0) + 1
    return old.version + (old.definition != node)


def _odd(root: Node, measures: dict[str, Computed]) -> bool:
    """Whether a condition compares what the attribute's values can't be compared with."""
    return bool(check(shown(root), computed=measures)[1])


def _named(using: list[Segment], told: str, code: str) -> list[Fault]:
    return [
        Fault(pointer="", code=code, message=f"segment '{each.id}' ({each.name}) {told}")
        for each in using[:MAX_NAMED]
    ]
