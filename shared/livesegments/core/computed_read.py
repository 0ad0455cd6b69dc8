"""The computed attributes of a profile, as a plan has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from livesegments.core.computed import PREFIX, id_of
from livesegments.core.computed_value import read
from livesegments.core.definition import Computed
from livesegments.core.kind import held
from livesegments.core.plan import Plan
from livesegments.core.profile import Profile


class Value(NamedTuple):
    """As JSON has it, and the next instant at which the clock alone changes it."""

    value: Any
    moves_ms: int | None


def computed_of(
    plan: Plan, profile: Profile, now_ms: int, names: Iterable[str] | None = None
) -> dict[str, Value]:
    """By id; of `names` (`computed:spent`) those that the plan has, or (None) all.

    `profile` was brought to the plan, and all that is due up to `now_ms` may have fired.
    """
    found = {}
    among = plan.positions if names is None else plan.positions.keys() & names
    for name in sorted(name for name in among if name.startswith(PREFIX)):
        (leaf,) = plan.order[plan.positions[name]].reads
        assert isinstance(leaf.leaf, Computed) and leaf.fact is not None
        state = held(profile.facts, leaf.fact.id, leaf.fact.kind)
        found[id_of(name) or ""] = Value(*read(leaf.fact.kind, leaf.leaf, state, now_ms))
    return found
