"""Which definitions a partition serves, and which wait for their history.

Example: segment A ("3 orders in 30 days") is served; it is edited to 60 days. The fact for 60 days is new, so
its history has to be filled in: meanwhile A is served as it was, and its new version is staged. A new segment
B that refers to A can be served at once; a new segment C that refers to a staged new segment waits with it. A
segment that was deleted is served as long as an old version that is served refers to it.

`latest` are the catalogue's definitions, `served` those that the partition has served until now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from msgspec import Struct

from livesegments.core.plan import Segment
from livesegments.core.references import references


class Staging(Struct, frozen=True):
    """`served` for now, in their old or their newest version; `staged` are newest versions that wait."""

    served: Mapping[str, Segment]
    staged: Mapping[str, Segment]


def stage(
    latest: Mapping[str, Segment],
    served: Mapping[str, Segment],
    incomplete: Callable[[Segment], bool],
    users: Callable[[str], Collection[str]] | None = None,
) -> Staging:
    """`incomplete` says of a newest version whether it reads a fact that lacks history; `users`, who names a
    segment in its newest definition, where that is known already."""
    waiting = {
        id_ for id_, segment in latest.items() if not same(served.get(id_), segment) and incomplete(segment)
    }
    ahead = [id_ for id_ in waiting if id_ not in served]
    if ahead:
        users = users or _users(latest.values())
        while ahead:
            for other in users(ahead.pop()):
                if other not in waiting and not same(served.get(other), latest[other]):
                    waiting.add(other)
                    if other not in served:
                        ahead.append(other)
    while True:
        now = {
            id_: served[id_] if id_ in waiting else segment
            for id_, segment in latest.items()
            if id_ not in waiting or id_ in served
        }
        now |= outlived(waiting, latest, served)
        # only an old version can close a circle: the newest ones alone have none
        circle: Iterable[str] = () if served.keys().isdisjoint(waiting) else _circle(now)
        held = {id_ for id_ in circle if id_ not in waiting and not same(served.get(id_), latest[id_])}
        if not held:
            return Staging(now, {id_: latest[id_] for id_ in waiting})
        waiting |= held


def same(one: Segment | None, other: Segment) -> bool:
    """Whether two are one definition: its revision is the catalogue's, and no other has it."""
    return one is not None and one.revision == other.revision


def outlived(
    waiting: Iterable[str], latest: Mapping[str, Segment], served: Mapping[str, Segment]
) -> dict[str, Segment]:
    """The deleted segments that the old versions of those that wait refer to."""
    found: dict[str, Segment] = {}
    gone = served.keys() - latest.keys()
    ahead = [id_ for id_ in waiting if id_ in served] if gone else []
    while ahead:
        root = served[ahead.pop()].definition
        needs = references(root) if root is not None else None
        for other in gone if needs and needs.all_others else gone & needs.ids if needs else ():
            if other not in found:
                found[other] = served[other]
                ahead.append(other)
    return found


def _users(segments: Iterable[Segment]) -> Callable[[str], Collection[str]]:
    """Of a segment those whose definitions name it."""
    found: dict[str, list[str]] = {}
    for segment in segments:
        for other in references(segment.definition).ids if segment.definition is not None else ():
            found.setdefault(other, []).append(segment.id)
    return lambda id_: found.get(id_, ())


def _circle(segments: Mapping[str, Segment]) -> Iterable[str]:
    """Segments that depend on each other in a circle: an old version may name what now names its new one."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for segment in segments.values():
        needs = references(segment.definition) if segment.definition is not None else None
        ids = (segments.keys() if needs.all_others else needs.ids) if needs else ()
        sorter.add(segment.id, *(other for other in ids if other in segments and other != segment.id))
    try:
        sorter.prepare()
    except CycleError as error:
        return set(error.args[1])
    return ()
