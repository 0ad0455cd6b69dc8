"""The writes of a partition's commit for due times and members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from livesegments.core.event import Transition
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.wire.profilekey import ProfileKey


def write_dues(commit: Commit, woken: Mapping[ProfileKey, int | None]) -> None:
    """Sets or takes away the due instant of each profile."""
    key = keys.due(commit.partition)
    set_ = {member: due for member, due in woken.items() if due is not None}
    if set_:
        commit.score(key, set_)
    if len(set_) < len(woken):
        commit.unscore(key, [member for member, due in woken.items() if due is None])


def write_members(commit: Commit, transitions: Iterable[Transition]) -> None:
    """Only where each profile ended up: it may have entered and exited within one commit."""
    last = {(each.workspace, each.segment, each.profile): each.kind for each in transitions}
    moves: dict[tuple[str, str], tuple[dict[str, int], list[str]]] = {}
    for (workspace, segment, profile), kind in last.items():
        entered, exited = moves.setdefault((workspace, segment), ({}, []))
        if kind == "entered":
            entered[profile] = 0
        else:
            exited.append(profile)
    for (workspace, segment), (entered, exited) in moves.items():
        key = keys.members(commit.partition, workspace, segment)
        if entered:
            commit.score(key, entered)
        if exited:
            commit.unscore(key, exited)
