"""Which events a question reads by name, and of which it reads a lane.

Example: "two orders in 30 days", or "orders of 50 in all", reads a lane of orders; an attribute reads the
events `$profile`, and of these the order of arrival as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from livesegments.core.definition import (
    Attribute,
    Bucket,
    Computed,
    Consent,
    Event,
    Near,
    Node,
    Occurrence,
    SegmentRef,
    Sequence,
    Tag,
)
from livesegments.core.event import PROFILE
from livesegments.core.tree import walk
from livesegments.history.asking import Asked
from livesegments.history.sql.relations import Lane
from livesegments.history.sql.tally import tally

MOST_LANES = 20
"""So many are prepared."""


def reads(asked: Asked) -> dict[str, bool]:
    """Names, and whether ids and the order of arrival are needed as well."""
    found: dict[str, bool] = {}
    for name, exact in _reads(asked):
        found[name] = found.get(name, False) or exact
    return found


def lanes(asked: Asked) -> frozenset[Lane]:
    return frozenset(lane for root in written(asked) for lane in _lanes(root))


def lanes_read(definitions: Iterable[Node]) -> list[Lane]:
    """The lanes that definitions read, those first that most of them read, without any that compares with a
    large list of values."""
    found: Counter[Lane] = Counter()
    for root in definitions:
        found.update(sorted((each for each in _lanes(root) if not each.has_variables), key=repr))
    return [lane for lane, _ in found.most_common(MOST_LANES)]


def _reads(asked: Asked) -> Iterator[tuple[str, bool]]:
    if asked.definition is None or any(isinstance(root, int) for root in asked.segments.values()):
        yield PROFILE, True  # who is on a list
    for root in written(asked):
        for _, node in walk(root):
            yield from _of(node)


def written(asked: Asked) -> list[Node]:
    """All definitions of a question."""
    roots = [asked.definition, asked.before, *asked.segments.values()]
    return [root for root in roots if root is not None and not isinstance(root, int)]


def _lanes(root: Node) -> set[Lane]:
    tallies = (tally(node, 0, None, "") for _, node in walk(root))
    return {lane for each in tallies if each is not None for lane in each.lanes}


def _of(node: Node) -> Iterator[tuple[str, bool]]:
    if tally(node, 0, None, "") is not None:
        return
    match node:
        case Attribute() | Tag() | Consent() | Near():
            yield PROFILE, True
        case Event() | Computed() | Occurrence():
            yield from ((name, True) for name in node.called)
        case Sequence():
            yield from ((name, True) for step in node.steps for name in step.called)
        case Bucket() | SegmentRef() | _:
            return
