"""Why a profile is in a segment or not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from livesegments.client.common import EventBehind
from livesegments.client.request import Request, get


class Explanation(Struct, kw_only=True, frozen=True, rename={"is_in": "in"}):
    """Why, from the state and the definition that decided."""

    segment: str
    """The id of the segment."""
    profile: str
    """The id of the profile."""
    is_in: bool
    """Whether the profile is a member now."""
    entered_at: datetime | None
    """Since when the profile is a member; null: it is none."""
    at: datetime
    """The instant for which this is said."""
    version: int
    """The version of the definition that is served."""
    judged: bool
    """False: the profile is yet to be evaluated under this version; `why` is what follows."""
    why: Node
    """The definition, node by node."""
    change: Change | None
    """Null: no single change would flip it."""
    flips_at: datetime | None
    """When the clock alone will flip it; null: never, as things are."""


class Node(Struct, kw_only=True, frozen=True):
    """A node of the definition. A condition has `condition` and `evidence`; `all`, `any`, `not` have
    `of`."""

    pointer: str
    """Where it stands: a JSON pointer into the definition."""
    type: str
    """The kind of node; `list` of a static segment."""
    holds: bool
    """Whether it is true of the profile."""
    condition: dict[str, Any] | None
    """The condition as it was written."""
    evidence: Evidence | None
    """What it was decided by."""
    of: list[Node]
    """What the node is made of."""


class Change(Struct, kw_only=True, frozen=True):
    """The smallest single change that would flip the membership."""

    type: str
    """What would have to change: an event comes, or a part of the profile is written."""
    name: str
    """The event's, attribute's or tag's name, or the static segment's id."""
    count: int
    """How many events."""
    properties: dict[str, Any]
    """What makes an event count; others of its kind do, too."""
    varying: str | None
    """The property of which every event has another value."""
    value: Any
    """The new value; null removes it. Of a tag or list: whether it is on it."""
    channel: str | None
    """The channel of the consent; null: of all of them."""
    topic: str | None
    """The topic of the consent; null: of all of them."""
    before: datetime | None
    """It would flip it if it came before then; null: whenever it comes."""


class Evidence(Struct, kw_only=True, frozen=True):
    """What a condition was decided by."""

    value: Any
    """The attribute's value, the measure's amount, the consent's state; else whether it is so."""
    or_more: bool
    """No more are kept than conditions ask about: there may be more."""
    at: datetime | None
    """When it came: the attribute, the tag, the occurrence, the first step of the sequence."""
    event_id: str | None
    """The id of the event that brought it."""
    steps: int | None
    """How many steps of the sequence have come, in order and in time."""
    same: Any
    """Of steps that share a value: the one by which the sequence holds, or that came last."""
    moves_at: datetime | None
    """When the clock alone may change it next."""
    events: list[EventBehind]
    """The events that it counts, the newest first; as many as `events` asks for."""


@get("/v1/segments/{id}/explanations/{profile}")
def read(id: str, profile: str, *, events: int = 0) -> Request[Explanation]:
    """The tree of the definition with what is known, and what would change the answer."""
    ...
