"""Which events a question reads by name, and whether it needs to know more of them than when and what.

Example: "two orders in 30 days" reads no event by name: it is counted among all that happened. "Orders of at
least 50" reads the properties of orders; an attribute reads, of `$profile`, the order of arrival as well.
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
from livesegments.history.asking import Asked
from livesegments.history.sql.query import walk
from livesegments.history.sql.tally import tally

MOST_NAMES = 20
"""Whose properties are prepared."""


def reads(asked: Asked) -> dict[str, bool]:
    """Names, and whether ids and the order of arrival are needed as well."""
    found: dict[str, bool] = {}
    for name, exact in _reads(asked):
        found[name] = found.get(name, False) or exact
    return found


def properties_read(definitions: Iterable[Node]) -> list[str]:
    """The names of events whose properties definitions read, and no more of them than that; those first that
    most of them read."""
    found: Counter[str] = Counter()
    for root in definitions:
        found.update({name for _, node in walk(root) for name, exact in _of(node) if not exact})
    return [name for name, _ in found.most_common(MOST_NAMES)]


def _reads(asked: Asked) -> Iterator[tuple[str, bool]]:
    roots = [asked.definition, asked.before, *asked.segments.values()]
    if asked.definition is None or any(isinstance(root, int) for root in roots):
        yield PROFILE, True  # who is on a list
    for root in roots:
        if root is not None and not isinstance(root, int):
            for _, node in walk(root):
                yield from _of(node)


def _of(node: Node) -> Iterator[tuple[str, bool]]:
    counted = tally(node, 0, None, "")
    if counted is not None:
        if counted.own is not None:
            yield from ((name, False) for name in counted.names)
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
