"""Events of a profile, their reserved names, and the transitions that follow from them.

An attribute, tag, consent, score, group or list change travels as an event too, named `$profile`,
with a `ProfileChange` as its properties. Names that begin with `$` are ours: outside events may not
carry them.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

PROFILE = "$profile"
"""A change of the profile itself; `properties` is a `ProfileChange` as a plain dict."""
ALIAS = "$alias"
"""Recorded only: `properties` is `{"previous_id": …}`."""

RETRACT = "$retract"
"""Takes an earlier event of the profile back: `properties` is `{"event_id": …}` (module `retraction`)."""

MERGE = "$merge"
"""The profile goes into another one, with its history: `properties` is `{"into": …}` (module `merging`)."""

KNOWN = "$known"
"""A row of the archive alone: what the profile did by then is not kept any longer (`history.retaining`)."""

ATTRIBUTE_CHANGED = "$attribute_changed"
TAG_ADDED = "$tag_added"
TAG_REMOVED = "$tag_removed"
CONSENT_CHANGED = "$consent_changed"
SEGMENT_ENTERED = "$segment_entered"
SEGMENT_EXITED = "$segment_exited"

Cause = Literal[
    "event", "attribute", "clock", "definition", "backfill", "retraction", "merge", "erasure", "repair"
]
Kind = Literal["entered", "exited"]


class Event(Struct, frozen=True, array_like=True):
    """One accepted event. On the wire a msgpack array in this order.

    `id` is unique within the profile (deduplication); `time_ms` is when it happened, UTC.
    """

    id: str
    workspace: str
    profile: str
    name: str
    time_ms: int
    properties: dict[str, Any] = {}


class ConsentChange(Struct, frozen=True, omit_defaults=True):
    state: Literal["opted_in", "opted_out", "none"]
    channel: str | None = None
    topic: str | None = None


class ScoreChange(Struct, frozen=True, omit_defaults=True):
    """Either `set` to a number (a reset is `set: 0` with a reason) or `increment` by one."""

    set: int | float | None = None
    increment: int | float | None = None
    reason: str | None = None


class ProfileChange(Struct, frozen=True, omit_defaults=True):
    """The properties of a `$profile` event. Every part is optional.

    attributes  name → value; `None` removes it, and its parts (`address.city` of `address`).
                `tags`, `consent`, `score`, `groups` are never in it.
    tags_add, tags_remove   each tag is its own last-writer-wins register by (time, event id); a tag in
                both is removed
    consent     one register per (channel, topic) pair, last writer wins, also within the list
    score       becomes the attribute `score`: the latest `set` plus all increments after it
    groups      added to the attribute `groups`, a sorted list that only grows
    lists_add, lists_remove   ids of static segments; a register per segment
    lists_versions  the version of the static segment that is meant, by its id. A list without a version here
                is that of the version at hand when the event is applied, or of the next one that comes
    """

    attributes: dict[str, Any] = {}
    tags_add: tuple[str, ...] = ()
    tags_remove: tuple[str, ...] = ()
    consent: tuple[ConsentChange, ...] = ()
    score: ScoreChange | None = None
    groups: tuple[str, ...] = ()
    lists_add: tuple[str, ...] = ()
    lists_remove: tuple[str, ...] = ()
    lists_versions: dict[str, int] = {}


class Transition(Struct, frozen=True, omit_defaults=True):
    """A profile entered or exited a segment. One JSON record of topic `memberships`.

    `at_ms` is the instant at which it became true: the clock's instant of the causing event, or the
    due instant. `sequence` counts this (segment, profile)'s transitions from 1, so a gap is seen.
    `id` is a digest of all other fields but `computed`: the same transition always has the same id, and two
    different ones never share one.
    `computed`: the values at that instant of the computed attributes that the definition asks about, by id;
    None, and not in the record, where it asks about none, and of a profile that goes (erasure, merge).
    """

    id: str
    workspace: str
    segment: str
    profile: str
    kind: Kind
    at_ms: int
    sequence: int
    cause: Cause
    event_id: str | None
    version: int
    computed: dict[str, str | int | float | bool] | None = None


def segment_event(workspace: str, profile: str, segment: str, name: str, at_ms: int, why: str) -> Event:
    """`$segment_entered` or `$segment_exited`; `why` is the causing event's id, or else the cause."""
    return Event(f"{why}~segment~{segment}", workspace, profile, name, at_ms, {"segment": segment})


def derived_from(transition: Transition) -> Event:
    """The event that a transition is to the conditions of other segments."""
    return segment_event(
        transition.workspace,
        transition.profile,
        transition.segment,
        SEGMENT_ENTERED if transition.kind == "entered" else SEGMENT_EXITED,
        transition.at_ms,
        transition.event_id or transition.cause,
    )
