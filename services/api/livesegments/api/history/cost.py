"""What a definition costs: the facts that it would add to every profile, and those that are kept already.

Example: "ordered in the last 30 days, and opened the newsletter in the last 7" beside a segment that asks for
orders of the last 30 days, too: the orders are kept already, so one fact more is kept, for the newsletter.
Its bytes are measured: the events of a few profiles, drawn at random, are given to it, and the states are
encoded with it and without.
"""

from __future__ import annotations

import msgspec
from pydantic import BaseModel, Field

from livesegments.core import plan
from livesegments.core.backfill import Backfill, Past
from livesegments.core.compiled import Compiled
from livesegments.core.definition import Node
from livesegments.core.event import Event
from livesegments.core.plan import Plan, Segment
from livesegments.core.profile import Profile, encode
from livesegments.core.tree import walk
from livesegments.core.value_list import Contents
from livesegments.core.wanted import wanted
from livesegments.history.asking import Sent

MOST_NAMED = 20
DRAFT = "preview of a definition"
"""An id that no segment can have."""


class Shared(BaseModel):
    """A condition whose fact other segments read, too: it costs nothing more."""

    pointer: str = Field(description="A JSON pointer of the condition within the definition.")
    segments: list[str] = Field(description="The ids of these segments; the first 20.")
    count: int = Field(description="How many segments there are.")


class Cost(BaseModel):
    """What every profile would keep for the definition."""

    new_facts: int = Field(description="How many facts would be kept that no segment reads yet.")
    bytes_a_profile: float | None = Field(
        description="What these take in a profile's state on average; null where no profile was looked at."
    )
    looked_at: int = Field(description="How many profiles that was measured on, drawn at random.")
    shared: list[Shared] = Field(description="The conditions that cost nothing more, and why.")


def weighed(existing: Plan, node: Node, contents: Contents, now_ms: int) -> list[str]:
    """Of the events that the new facts would keep something of."""
    draft = _draft(existing, node, contents)
    new = _new(existing, draft)
    return sorted(wanted(draft, new, now_ms).names) if new else []


def has_new(existing: Plan, node: Node, contents: Contents) -> bool:
    """Whether there are facts that no segment reads yet, which have to be given their history."""
    return bool(_new(existing, _draft(existing, node, contents)))


def priced(existing: Plan, node: Node, contents: Contents, sent: list[Sent], now_ms: int) -> Cost:
    """`sent`: the events of some profiles, also of those that have none."""
    draft = _draft(existing, node, contents)
    new = _new(existing, draft)
    return Cost(
        new_facts=len(new),
        bytes_a_profile=_bytes(draft, new, sent, now_ms) if sent else None,
        looked_at=len(sent),
        shared=_shared(existing, draft.order[0]),
    )


def _draft(existing: Plan, node: Node, contents: Contents) -> Plan:
    segment = Segment(DRAFT, 1, 0, node)
    return plan.compile(existing.workspace, existing.timezone, [segment], 0, contents=contents)


def _new(existing: Plan, draft: Plan) -> frozenset[int]:
    return draft.fact_ids - existing.fact_ids


def _bytes(draft: Plan, new: frozenset[int], sent: list[Sent], now_ms: int) -> float:
    if not new:
        return 0.0
    backfill, total = Backfill(draft, dict.fromkeys(new, 0)), 0
    for each in sent:
        profile = Profile(plan=draft.revision)
        empty = len(encode(profile))
        past: list[Past] = [
            (
                0,
                Event(
                    event.id,
                    draft.workspace,
                    each.profile,
                    event.name,
                    event.time_ms,
                    _read(event.properties),
                ),
            )
            for event in each.events
        ]
        backfill.give(profile, past, now_ms)
        total += len(encode(profile)) - empty
    return round(total / len(sent), 1)


def _shared(existing: Plan, draft: Compiled) -> list[Shared]:
    assert draft.root is not None
    readers: dict[int, list[str]] = {}
    wanted_facts = {fact.id for fact in draft.facts}
    for item in existing.order:
        for fact in {fact.id for fact in item.facts} & wanted_facts:
            readers.setdefault(fact, []).append(item.segment.id)
    pointers = {id(below): pointer for pointer, below in walk(draft.root)}
    found = []
    for read in draft.reads:
        users = readers.get(read.fact.id, []) if read.fact is not None else []
        pointer = pointers.get(id(read.leaf))
        if users and pointer is not None:
            found.append(Shared(pointer=pointer, segments=sorted(users)[:MOST_NAMED], count=len(users)))
    return found


_read = msgspec.json.Decoder(dict).decode
