"""What receivers of transitions are promised."""

from __future__ import annotations

from collections.abc import Iterable

from livesegments.core.event import Transition


def check_delivery(announced: Iterable[Transition]) -> set[tuple[str, str, str]]:
    """At least once, in order, no gap, and one id is one transition.

    Returns who is a member of what by what was announced: (workspace, segment, profile).
    """
    by_id: dict[str, Transition] = {}
    last: dict[tuple[str, str, str], Transition] = {}
    for each in announced:
        if each.id in by_id:
            assert by_id[each.id] == each, f"two transitions under one id: {each} and {by_id[each.id]}"
            continue
        by_id[each.id] = each
        key = each.workspace, each.segment, each.profile
        before = last.get(key)
        assert each.sequence == (before.sequence if before else 0) + 1, f"after {before}: {each}"
        assert each.kind != (before.kind if before else "exited"), f"after {before}: {each}"
        last[key] = each
    return {key for key, each in last.items() if each.kind == "entered"}
