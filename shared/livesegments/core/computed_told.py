"""What a transition says of the computed attributes that its segment's definition asks about.

Example: `computed:spent gt 300` lets ann in when her order comes; the transition says `{"spent": 312.5}`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from livesegments.core.computed import id_of
from livesegments.core.computed_value import shown
from livesegments.core.definition import Computed, Measure, Scalar
from livesegments.core.fact import Fact
from livesegments.core.kind import held

MAX_TEXT = 256
"""Characters of a text that a transition carries: so the values of 100 computed attributes fit a record."""

Tells: TypeAlias = tuple[tuple[str, Measure, Fact], ...]
"""By id, the computed attributes that a definition asks about; empty for nearly all."""


def tells(reads: Iterable[tuple[Any, Fact | None]]) -> Tells:
    """Of a definition's leaves and their facts."""
    found: dict[str, tuple[Measure, Fact]] = {}
    for leaf, fact in reads:
        if isinstance(leaf, Computed) and leaf.asked is not None and fact is not None:
            found[id_of(leaf.asked.name) or ""] = leaf.measure, fact
    return tuple((id_, *found[id_]) for id_ in sorted(found))


def told(asked: Tells, facts: dict[int, Any], now_ms: int) -> dict[str, Scalar]:
    """The values at an instant, out of a profile's facts, as JSON has them.

    One that there is none of is left out, and so is a text beyond `MAX_TEXT`.
    """
    found: dict[str, Scalar] = {}
    for id_, measure, fact in asked:
        value = shown(measure, fact.kind.value(held(facts, fact.id, fact.kind), now_ms))
        if value is not None and not (type(value) is str and len(value) > MAX_TEXT):
            found[id_] = value
    return found
