"""Decisions about an edit of the catalogue, on one snapshot of a workspace: pure, so they may be repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from secrets import token_hex

import msgspec

from livesegments.api import shapes
from livesegments.api.etags import check_match
from livesegments.api.problems import QUOTA, Problem, not_found
from livesegments.api.segment_shapes import NewDynamic, NewStatic, SegmentPatch
from livesegments.api.subscription_edits import users_of
from livesegments.core.check import check
from livesegments.core.definition import Node
from livesegments.core.fault import Fault
from livesegments.store.snapshot import Snapshot, folded
from livesegments.wire.catalog import Quotas, Segment, Workspace

MAX_SEGMENTS = 20_000
"""Of a workspace, whatever its quota is."""
QUOTA_SEGMENTS = f"{QUOTA}segments"
"""The code of a segment beyond the workspace's quota."""
MAX_NAMED = 20


def known(snapshot: Snapshot, workspace: Workspace, own: str | None) -> shapes.Known:
    """What the definition of a segment (None: a new one without an id) is checked against."""
    others = Others(snapshot.segments, own or "")
    return shapes.Known(
        workspace.timezone,
        others,
        own,
        snapshot.revision,
        snapshot.dependents,
        snapshot.digests,
        workspace.week_start,
        snapshot.measures,
    )


class Others(Mapping[str, Node | None]):
    """A snapshot's definitions, but for one segment's own."""

    def __init__(self, segments: Mapping[str, Segment], own: str) -> None:
        self._segments, self._own = segments, own

    def __getitem__(self, id_: str) -> Node | None:
        if id_ == self._own:
            raise KeyError(id_)
        return self._segments[id_].definition

    def __iter__(self) -> Iterator[str]:
        return (id_ for id_ in self._segments if id_ != self._own)

    def __len__(self) -> int:
        return len(self._segments) - (self._own in self._segments)


def most_segments(quotas: Quotas) -> int:
    return MAX_SEGMENTS if quotas.segments is None else min(quotas.segments, MAX_SEGMENTS)


def new_segment(
    snapshot: Snapshot,
    workspace: Workspace,
    new: NewDynamic | NewStatic,
    now_ms: int,
) -> Segment:
    """Raises Problem 409 where id or name are taken, 422 with the definition's faults."""
    id_ = new.id or f"seg_{token_hex(6)}"
    if id_ in snapshot.segments:
        name = snapshot.segments[id_].name
        fault = Fault("/id", "taken", f"segment '{id_}' ({name}) has this id")
        raise Problem(409, f"There is a segment '{id_}' ({name}) already.", [fault])
    most = most_segments(workspace.quotas)
    if len(snapshot.segments) >= most:
        message = f"the workspace has its quota of {most} segments (segments): delete some, or raise it"
        raise Problem(
            409, f"The workspace has its quota of {most} segments.", [Fault("", QUOTA_SEGMENTS, message)]
        )
    _free(snapshot, new.name, id_)
    node = None
    if isinstance(new, NewDynamic):
        node = checked(snapshot, workspace, new.definition, id_)
    version = snapshot.retired.get(id_, 0) + 1
    return Segment(
        workspace=workspace.id,
        id=id_,
        name=new.name,
        version=version,
        definition_version=version,
        created_ms=now_ms,
        updated_ms=now_ms,
        definition=node,
        description=new.description,
        tags=tuple(dict.fromkeys(new.tags)),
        folder=new.folder,
        topics=tuple(dict.fromkeys(new.topics)),
    )


def patched(
    snapshot: Snapshot,
    workspace: Workspace,
    id_: str,
    patch: SegmentPatch,
    match: str | None,
    now_ms: int,
) -> Segment:
    """Raises Problem 404, 428, 412, 409 (name) or 422."""
    old = existing(snapshot, id_)
    check_match(old.version, match)
    given = patch.model_fields_set
    name = patch.name if "name" in given else old.name
    if folded(name) != folded(old.name):
        _free(snapshot, name, id_)
    node = old.definition
    if "definition" in given:
        if old.definition is None:
            fault = Fault(pointer="/definition", code="static", message="a static segment has no definition")
            raise Problem(422, "1 fault(s) in the request.", [fault])
        node = checked(snapshot, workspace, patch.definition, id_)
    return msgspec.structs.replace(
        old,
        name=name,
        version=old.version + 1,
        definition_version=old.definition_version + (node != old.definition),
        updated_ms=max(now_ms, old.updated_ms),
        definition=node,
        description=(patch.description or "") if "description" in given else old.description,
        tags=tuple(dict.fromkeys(patch.tags or ())) if "tags" in given else old.tags,
        folder=(patch.folder or "") if "folder" in given else old.folder,
        topics=tuple(dict.fromkeys(patch.topics or ())) if "topics" in given else old.topics,
    )


def deletable(snapshot: Snapshot, id_: str, match: str | None) -> Segment:
    """Raises Problem 404, 412, or 409 while others refer to it, naming them."""
    old = existing(snapshot, id_)
    check_match(old.version, match, needed=False)
    using = [snapshot.segments[user] for user in sorted(snapshot.users(id_) - {id_})]
    if using:
        faults = [
            Fault(pointer="", code="in_use", message=f"segment '{each.id}' ({each.name}) refers to it")
            for each in using[:MAX_NAMED]
        ]
        raise Problem(409, f"{len(using)} segment(s) refer to '{id_}'; change or delete them first.", faults)
    measuring = snapshot.measuring(id_)
    if measuring:
        told = f"{len(measuring)} computed attribute(s) measure transitions of '{id_}'; edit them first."
        faults = [Fault("", "in_use", f"computed attribute '{each.id}'") for each in measuring[:MAX_NAMED]]
        raise Problem(409, told, faults)
    hearing = users_of(snapshot, id_)
    if hearing:
        told = f"{len(hearing)} subscription(s) hear of '{id_}'; edit or delete them first."
        raise Problem(409, told, hearing[:MAX_NAMED])
    return old


def existing(snapshot: Snapshot, id_: str) -> Segment:
    segment = snapshot.segments.get(id_)
    if segment is None:
        raise not_found("segment", id_)
    return segment


def checked(snapshot: Snapshot, workspace: Workspace, defined: shapes.Defined, id_: str) -> Node:
    """Checked again only if a segment has changed since its body was read. Raises Problem 422."""
    if defined.revision == snapshot.revision:
        return defined.node
    node, faults = check(
        defined.document,
        timezone=workspace.timezone,
        others=Others(snapshot.segments, id_),
        segment_id=id_,
        dependents=snapshot.dependents,
        lists=snapshot.digests,
        week_start=workspace.week_start,
        computed=snapshot.measures,
    )
    if node is None:
        found = [
            Fault(pointer=f"/definition{fault.pointer}", code=fault.code, message=fault.message)
            for fault in faults
        ]
        raise Problem(422, f"{len(found)} fault(s) in the request.", found)
    return node


def _free(snapshot: Snapshot, name: str, id_: str) -> None:
    holder = snapshot.named(name, but=id_)
    if holder is not None:
        fault = Fault("/name", "taken", f"segment '{holder.id}' ({holder.name}) has this name")
        raise Problem(409, f"The segment '{holder.id}' ({holder.name}) has this name already.", [fault])
