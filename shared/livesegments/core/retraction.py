"""Events that are taken back: a `$retract` names one by its id, and that event never counts again.

Example: `$retract` with `event_id` `order-7` comes for ada. From then on `order-7` counts in none of her
facts, whether it came before or is still to come, once or several times. What came before is counted anew
from her history (module `recount`); until that is done, her memberships stand as they are.

Only events from outside can be taken back: those whose names don't begin with `$`. An id without an event is
remembered like any other.

The ids are kept as the first 8 bytes of their BLAKE2b, the newest last, and no more than `MAX_TAKEN`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import TypeAlias

from msgspec import Struct

from livesegments.core.event import RETRACT, Event

MAX_TAKEN = 1_000
"""A profile's newest retractions that are remembered beside its history."""
MAX_WAITING = 100
_DIGEST = 8

IsTaken: TypeAlias = Callable[[Event], bool]


class Taken(Struct, array_like=True):
    """A profile's retractions. `waiting` are the ids of those `$retract` events that are still to be
    carried out, the newest `MAX_WAITING`."""

    ids: bytes = b""
    waiting: list[str] = []


def target(event: Event) -> str | None:
    """The id of the event that a `$retract` takes back; None where it names none."""
    id_ = event.properties.get("event_id")
    return id_ if isinstance(id_, str) else None


def take_back(taken: Taken | None, event: Event) -> Taken | None:
    """With one more retraction; a repeat of one that is known takes nothing more back."""
    id_ = target(event)
    if id_ is None:
        return taken
    digest = _digest(id_)
    taken = Taken() if taken is None else taken
    if _has(taken.ids, digest):
        return taken
    ids = (taken.ids + digest)[-MAX_TAKEN * _DIGEST :]
    return Taken(ids, [*taken.waiting, event.id][-MAX_WAITING:])


def is_taken(taken: Taken, event: Event) -> bool:
    """Whether an event that comes now was taken back before."""
    return event.name[:1] != "$" and _has(taken.ids, _digest(event.id))


def gone(taken: Taken | None, past: Iterable[Event]) -> IsTaken | None:
    """Says of an event whether the profile, or a `$retract` of its history, takes it back; None: none is."""
    ids = {id_ for event in past if event.name == RETRACT and (id_ := target(event)) is not None}
    stored = b"" if taken is None else taken.ids
    if not ids and not stored:
        return None
    digests = {stored[at : at + _DIGEST] for at in range(0, len(stored), _DIGEST)}
    digests.update(map(_digest, ids))
    return lambda event: event.name[:1] != "$" and _digest(event.id) in digests


def _digest(event_id: str) -> bytes:
    return blake2b(event_id.encode(), digest_size=_DIGEST).digest()


def _has(ids: bytes, digest: bytes) -> bool:
    at = ids.find(digest)
    while at != -1 and at % _DIGEST:
        at = ids.find(digest, at + 1)
    return at != -1
