"""What a fault of ours kept from a profile, and is owed to it still.

Example: ada's window closes at ten, and the core raises on that. From then on her `plan` is a number that no
plan has: it says what she is owed, and at which plan she is. So whatever touches her brings her to the plan
first, as it does with a profile of an older plan, and nobody else pays for it. `step.on_plan` then pays the
debt: all of her due times are worked out anew, and every segment judges her. A debt of history is paid by
module `recount`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

What: TypeAlias = Literal["due", "definition", "history"]
"""A due time; the change to new definitions; facts that are counted by all that happened to the profile."""
_KINDS: tuple[What, ...] = ("due", "definition", "history")
_FIRST = -8
"""The greatest such number; `kin.GONE` is greater."""
_SPREAD = 4


class Debt(NamedTuple):
    """`plan`: the revision at which the profile is."""

    what: What
    plan: int


def owing(plan: int, what: What) -> int:
    """The `plan` of a profile at a plan's revision, or at none (−1), that is owed something."""
    return _FIRST - _SPREAD * (plan + 1) - _KINDS.index(what)


def debt_of(plan: int) -> Debt | None:
    """Of a profile's `plan`; None where nothing is owed."""
    if plan > _FIRST:
        return None
    behind, kind = divmod(_FIRST - plan, _SPREAD)
    return Debt(_KINDS[kind], behind - 1)


class _Head(Struct, array_like=True):
    plan: int


_head = msgspec.msgpack.Decoder(_Head)


def debt_in(state: bytes) -> Debt | None:
    """As `debt_of`, of a profile in its stored form."""
    return debt_of(_head.decode(state).plan) if state else None
