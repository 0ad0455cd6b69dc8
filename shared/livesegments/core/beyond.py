"""The facts that reach back beyond the history that is kept.

Example: a workspace keeps 365 days of history. "Ordered in the last 30 days" can be counted anew from that
at any time; "spent 1,000 in all" can't, because the first orders are gone. Kept live since before, it is
exact all the same.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from livesegments.core.definition import Node
from livesegments.core.fact import EventLeaf
from livesegments.core.plan import Plan
from livesegments.core.tree import walk
from livesegments.core.wanted import earliest, reads

HOUR_MS = 3_600_000


class Beyond:
    """Of one plan; the answer is worked out once an hour. Windows move on, so it never lacks a fact."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._asked: tuple[int, int] | None = None
        self._found: frozenset[int] = frozenset()

    def facts(self, since_ms: int | None, now_ms: int) -> frozenset[int]:
        """Ids of those to which an event before `since_ms` can matter; None: all history is there."""
        if since_ms is None:
            return frozenset()
        asked = since_ms, now_ms // HOUR_MS
        if asked != self._asked:
            self._asked, self._found = asked, beyond(self.plan, since_ms, now_ms)
        return self._found


def beyond(plan: Plan, since_ms: int, now_ms: int) -> frozenset[int]:
    """Ids of the facts to which an event before `since_ms` can matter at `now_ms`."""
    zone, known = ZoneInfo(plan.timezone), dict[object, bool]()
    found: set[int] = set()
    for fact, leaf in reads(plan):
        asked = leaf.window, getattr(leaf, "which", None)
        if asked not in known:
            known[asked] = _before(leaf, since_ms, now_ms, zone)
        if known[asked]:
            found.add(fact.id)
            found.update(trail.id for trail in fact.trails)
    return frozenset(found)


def pointers(node: Node, since_ms: int, now_ms: int, timezone: str) -> list[str]:
    """JSON pointers of the conditions of a definition to which events before `since_ms` can matter."""
    zone = ZoneInfo(timezone)
    return [
        at for at, leaf in walk(node) if isinstance(leaf, EventLeaf) and _before(leaf, since_ms, now_ms, zone)
    ]


def _before(leaf: EventLeaf, since_ms: int, now_ms: int, zone: ZoneInfo) -> bool:
    first_ms = earliest(leaf, zone, now_ms)
    return first_ms is None or first_ms < since_ms
