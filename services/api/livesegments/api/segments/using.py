"""What uses a segment, so that it can't be deleted: other segments, computed attributes, subscriptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from livesegments.core.fault import Fault
from livesegments.store.snapshot import Snapshot

MAX_NAMED = 20
"""Users that a refusal names."""
WORDS = {
    "segment": "refers to it",
    "computed_attribute": "measures its transitions",
    "subscription": "hears of it",
}


class User(Struct, frozen=True):
    """`name` is empty where it has none but its id; `archived` is of segments alone."""

    kind: Literal["segment", "computed_attribute", "subscription"]
    id: str
    name: str = ""
    archived: bool = False


def users(snapshot: Snapshot, id_: str) -> list[User]:
    """Segments first, then computed attributes and subscriptions, by id."""
    segments = [snapshot.segments[user] for user in sorted(snapshot.users(id_) - {id_})]
    return [
        *(User("segment", each.id, each.name, bool(each.archived_ms)) for each in segments),
        *(User("computed_attribute", each.id) for each in snapshot.measuring(id_)),
        *(User("subscription", each.id, each.name) for each in snapshot.subscribing(id_)),
    ]


def counted(found: Sequence[User]) -> str:
    """`2 segments and 1 subscription`."""
    counts = Counter(each.kind.replace("_", " ") for each in found)
    return " and ".join(f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in counts.items())


def faults(found: Sequence[User]) -> list[Fault]:
    """The first of them, as a refusal names them."""
    return [Fault("", "in_use", _said(each)) for each in found[:MAX_NAMED]]


def _said(user: User) -> str:
    name = f" ({user.name})" if user.name else ""
    return f"{user.kind.replace('_', ' ')} '{user.id}'{name} {WORDS[user.kind]}"
