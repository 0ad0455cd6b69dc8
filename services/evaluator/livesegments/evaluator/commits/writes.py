"""The writes of a partition's commit for due times and members."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from livesegments.core.event import Transition
from livesegments.evaluator.commits.sets import Sets
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


def write_members(
    commit: Commit, sets: Sets, transitions: Iterable[Transition], number: Callable[[str, str], int]
) -> None:
    """Only where each profile ended up: it may have entered and exited within one commit. `number`: of a
    profile, by its workspace and its id."""
    moves: dict[tuple[str, str], dict[str, tuple[int, bool]]] = {}
    for each in transitions:
        of = moves.setdefault((each.workspace, each.segment), {})
        of[each.profile] = number(each.workspace, each.profile), each.kind == "entered"
    for (workspace, segment), who in moves.items():
        sets.write(commit, workspace, segment, who)
