"""Events and due times on which the core raises are set aside, and everything else goes on in order.

For example an event on which the core raises, in a record of 500: all that the record did is undone, it is
applied again step by step, and the one event on which the core raises again goes to topic `rejected` with
the code `internal_fault`. Its bytes there are a packed record with just this event, so it can be sent again
once the fault is mended.

A due time, or a change of definitions, on which the core raises is owed to its profile from then on
(`core.debt`), and tried again whenever the profile is touched. In `rejected` stands an event that changes
nothing, so that sending it again touches the profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec
import structlog

from livesegments.core import debt
from livesegments.core.event import PROFILE, Event
from livesegments.core.fault import Fault
from livesegments.evaluator.ports import Publisher
from livesegments.runtime import metrics
from livesegments.store.degraded import MOST_IDS, Degraded
from livesegments.wire.pack import Packed, encode
from livesegments.wire.rejected import INTERNAL_FAULT, Rejected

What: TypeAlias = debt.What | Literal["event"]
CHANGES: tuple[debt.What, ...] = ("definition", "history")
"""What `Degraded.definitions` counts."""
TOUCH = "$touch."
"""Begins the id of an event that changes nothing: by it whatever is owed to a profile is tried again."""

_log = structlog.get_logger(__name__)


class Aside(NamedTuple):
    """An event, or what is owed to a profile from then on; at `at_ms` by the clock.

    `place` is the event's place in its record.
    """

    what: What
    workspace: str
    profile: str
    at_ms: int
    error: Exception
    event: Event | None = None
    place: int = 0


def counted(degraded: Degraded, aside: Aside) -> Degraded:
    """An event that is replayed, and can't be applied still, counts once."""
    ids, more = degraded.ids, aside.what == "event"
    if aside.event is not None:
        id_ = _id(aside.event)
        more = id_ not in ids
        ids = (*ids, id_)[-MOST_IDS:] if more else ids
    return msgspec.structs.replace(
        degraded,
        events=degraded.events + more,
        last_ms=aside.at_ms,
        ids=ids,
    )


def owed(degraded: Degraded, before: debt.What | None, after: debt.What | None) -> Degraded:
    """A profile to which something was owed, and to which something is owed now."""
    dues = degraded.dues + (after == "due") - (before == "due")
    definitions = degraded.definitions + (after in CHANGES) - (before in CHANGES)
    quiet = not (degraded.events or dues or definitions)
    return msgspec.structs.replace(
        degraded, dues=dues, definitions=definitions, last_ms=None if quiet else degraded.last_ms
    )


def forgiven(
    degraded: dict[str, Degraded], events: Sequence[Event], aside: Sequence[Aside]
) -> dict[str, Degraded]:
    """The workspaces of which events that had been set aside were applied after all, and how they are now."""
    still = {each.place for each in aside}
    found: dict[str, Degraded] = {}
    for place, event in enumerate(events):
        before = found.get(event.workspace) or degraded.get(event.workspace)
        if before is None or place in still or (id_ := _id(event)) not in before.ids:
            continue
        left = before.events - 1
        quiet = not (left or before.dues or before.definitions)
        ids = tuple(each for each in before.ids if each != id_)
        found[event.workspace] = msgspec.structs.replace(
            before, events=left, ids=ids, last_ms=None if quiet else before.last_ms
        )
    return found


def _id(event: Event) -> str:
    return f"{event.profile} {event.id}"


def is_touch(event: Event) -> bool:
    return event.name == PROFILE and not event.properties and event.id.startswith(TOUCH)


def _touch(aside: Aside) -> Event:
    id_ = f"{TOUCH}{aside.what}.{aside.at_ms}"
    return Event(id_, aside.workspace, aside.profile, PROFILE, aside.at_ms)


async def publish(publisher: Publisher, aside: Aside, source: str, stamp_ms: int) -> None:
    """Logs and counts it; returns when topic `rejected` has it."""
    _log.error(
        "set aside: a fault of ours",
        what=aside.what,
        workspace=aside.workspace,
        profile=aside.profile,
        source=source,
        index=aside.place,
        exc_info=aside.error,
    )
    metrics.ASIDE.labels(aside.what).inc()
    name = f"event '{aside.event.id}'" if aside.event is not None else f"{aside.what} at {aside.at_ms}"
    message = f"{name} of profile '{aside.profile}' met a fault of ours: {aside.error!r}"
    raw = encode(Packed([aside.event or _touch(aside)]))
    fault = Fault("", INTERNAL_FAULT, message)
    await publisher.reject(Rejected(aside.workspace, source, stamp_ms, [fault], raw, aside.place))
