"""Decisions about an edit of the catalogue, on one snapshot of a workspace: pure, so they may be repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from secrets import token_hex
from typing import Any

import msgspec

from livesegments.api.segments import using
from livesegments.api.segments.shapes import NewDynamic, NewStatic, SegmentPatch
from livesegments.api.segments.trial_shapes import trials
from livesegments.api.web import shapes
from livesegments.api.web.etags import check_match
from livesegments.api.web.problems import QUOTA, Problem, not_found
from livesegments.core.check import check
from livesegments.core.definition import Node
from livesegments.core.fault import Fault
from livesegments.core.value_list import shown
from livesegments.store.snapshot import Snapshot, folded
from livesegments.wire.catalog import Quotas, Segment, Workspace

MAX_SEGMENTS = 20_000
"""Of a workspace, whatever its quota is."""
QUOTA_SEGMENTS = f"{QUOTA}segments"
"""The code of a segment beyond the workspace's quota."""
MAX_NAME = 200


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
        snapshot.declarations,
    )


class Others(Mapping[str, Node | None]):
    """A snapshot's definitions, but for one segment's own and those that are archived."""

    def __init__(self, segments: Mapping[str, Segment], own: str) -> None:
        self._segments, self._own = segments, own

    def __getitem__(self, id_: str) -> Node | None:
        found = self._segments[id_]
        if id_ == self._own or found.archived_ms:
            raise KeyError(id_)
        return found.definition

    def __iter__(self) -> Iterator[str]:
        return (id_ for id_, each in self._segments.items() if id_ != self._own and not each.archived_ms)

    def __len__(self) -> int:
        return sum(1 for _ in self)


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
        tests=trials(new.tests) if isinstance(new, NewDynamic) else (),
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
        _own(old)
        node = checked(snapshot, workspace, patch.definition, id_)
    if patch.tests and old.definition is None:
        fault = Fault("/tests", "static", "a static segment has no definition to be tested")
        raise Problem(422, "1 fault(s) in the request.", [fault])
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
        tests=trials(patch.tests or []) if "tests" in given else old.tests,
    )


def deletable(snapshot: Snapshot, id_: str, match: str | None) -> Segment:
    """Raises Problem 404, 412, or 409 while others refer to it, naming them."""
    old = existing(snapshot, id_)
    check_match(old.version, match, needed=False)
    _own(old)
    users = using.users(snapshot, id_)
    if users:
        told = f"'{id_}' is needed by {using.counted(users)}; change or delete these first."
        raise Problem(409, told, using.faults(users))
    return old


def archived(snapshot: Snapshot, id_: str, match: str | None, now_ms: int) -> Segment:
    """Raises Problem 404, 412, or 409 while others refer to it that aren't archived themselves."""
    old = existing(snapshot, id_)
    check_match(old.version, match, needed=False)
    _own(old)
    users = [each for each in using.users(snapshot, id_) if each.kind != "subscription" and not each.archived]
    if users:
        told = f"'{id_}' is needed by {using.counted(users)}; change or archive these first."
        raise Problem(409, told, using.faults(users))
    at_ms = max(now_ms, old.updated_ms)
    return msgspec.structs.replace(
        old, version=old.version + 1, updated_ms=at_ms, archived_ms=old.archived_ms or at_ms
    )


def unarchived(snapshot: Snapshot, workspace: Workspace, id_: str, match: str | None, now_ms: int) -> Segment:
    """A dynamic one as another version of its definition, so nobody takes it for what it was before.

    Raises Problem 404, 412, or 422 where its definition refers to what isn't there any more."""
    old = existing(snapshot, id_)
    check_match(old.version, match, needed=False)
    node = old.definition
    again = bool(old.archived_ms) and node is not None
    if node is not None and again:
        node = checked(snapshot, workspace, shapes.Defined(shown(node), node, ""), id_)
    return msgspec.structs.replace(
        old,
        version=old.version + 1,
        definition_version=old.definition_version + again,
        updated_ms=max(now_ms, old.updated_ms),
        definition=node,
        archived_ms=0,
    )


def cloned(
    snapshot: Snapshot, workspace: Workspace, id_: str, name: str | None, own: str | None, now_ms: int
) -> Segment:
    """Raises Problem 404, or what `new_segment` raises."""
    old = existing(snapshot, id_)
    fields: dict[str, Any] = {
        "id": own,
        "name": name or _copy_name(snapshot, old.name),
        "description": old.description,
        "tags": list(old.tags),
        "folder": old.folder,
        "topics": list(old.topics),
    }
    new: NewDynamic | NewStatic
    if old.definition is None:
        new = NewStatic.model_construct(type="static", **fields)
    else:
        defined = shapes.Defined(shown(old.definition), old.definition, "")
        new = NewDynamic.model_construct(definition=defined, **fields)
    return msgspec.structs.replace(new_segment(snapshot, workspace, new, now_ms), tests=old.tests)


def _copy_name(snapshot: Snapshot, name: str) -> str:
    """`VIPs (copy)`, `VIPs (copy 2)` and so on: the first that nobody has."""
    ends = (f" (copy{'' if number == 1 else f' {number}'})" for number in count(1))
    names = (name[: MAX_NAME - len(end)] + end for end in ends)
    return next(each for each in names if snapshot.named(each) is None)


def redefined(
    snapshot: Snapshot, workspace: Workspace, latest: Segment, before: Node, now_ms: int
) -> Segment:
    """With an earlier definition again, as another version of it.

    Raises Problem 409 where that refers to what isn't there any more, or is the present one."""
    _own(latest)
    try:
        node = checked(snapshot, workspace, shapes.Defined(shown(before), before, ""), latest.id)
    except Problem as problem:
        raise Problem(409, "The earlier definition can't come back as it is.", problem.errors) from problem
    if node == latest.definition:
        told = "That is the present definition; of its value lists the present values count."
        raise Problem(409, told)
    return msgspec.structs.replace(
        latest,
        version=latest.version + 1,
        definition_version=latest.definition_version + 1,
        definition=node,
        updated_ms=max(now_ms, latest.updated_ms),
    )


def existing(snapshot: Snapshot, id_: str) -> Segment:
    segment = snapshot.segments.get(id_)
    if segment is None:
        raise not_found("segment", id_)
    return segment


def _own(segment: Segment) -> None:
    """Raises Problem 409 for the segment of a rule, whose definition nobody else may change."""
    if segment.rule is not None:
        told = f"a rule keeps it: pause or delete the rule (/v1/segment-rules/{segment.id})"
        detail = f"'{segment.id}' is the segment of a rule, which alone defines it."
        raise Problem(409, detail, [Fault("", "kept_by_rule", told)])


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
        declared=snapshot.declarations,
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
