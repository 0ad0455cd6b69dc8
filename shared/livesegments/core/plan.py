"""compile(definitions) → Plan: everything that can be worked out before an event arrives."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from livesegments.core.definition import Node


class Segment(Struct, frozen=True):
    """One segment as the catalogue has it; `root` is None for a static segment.

    `version` is the definition's own version (1, 2, …; transitions carry it); `revision` the
    catalogue's revision at which this definition came.
    """

    id: str
    version: int
    revision: int
    root: Node | None


class Plan:
    """Compiled, frozen, one per workspace. `revision` is the catalogue's newest revision in it."""

    workspace: str
    timezone: str
    revision: int
    segments: dict[str, Segment]
    fact_ids: frozenset[int]

    def facts_of(self, segment: str) -> frozenset[int]:
        """Ids of the event facts that this segment's definition reads (not through other segments)."""
        raise NotImplementedError


class Limits(Struct, frozen=True):
    """Deduplication: an event id is known for `dedup_window_ms`, and only the newest `dedup_max_ids`."""

    dedup_window_ms: int = 7 * 86_400_000
    dedup_max_ids: int = 1_000


DEFAULT_LIMITS = Limits()


def compile(
    workspace: str,
    timezone: str,
    segments: Iterable[Segment],
    revision: int,
    limits: Limits = DEFAULT_LIMITS,
    previous: Plan | None = None,
) -> Plan:
    """`previous` saves the work for segments that are the same in it."""
    raise NotImplementedError
