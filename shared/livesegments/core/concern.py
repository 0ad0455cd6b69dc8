"""Which stored profiles a change of definitions can concern at all, seen in their bytes.

Example: a new segment asks for `plan = pro`. Among a million stored profiles it can flip only those whose
state has the text `plan` and the text `pro` somewhere; the others needn't be decoded.

Why it is enough: a condition that reads an attribute, tag, consent, list, segment or fact that a profile
doesn't have is as true for it as for a profile of which nothing is known. So where a profile has nothing of
what the changed segments read, and was never in one of them, they are as true for it as for that one; and if
none of them holds for that one, the profile is in none, before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias

import msgspec

from livesegments.core.compiled import Read
from livesegments.core.definition import Attribute, Bucket, Consent, Near, SegmentRef, Tag
from livesegments.core.plan import Plan
from livesegments.core.profile import consent_key
from livesegments.core.value import when_missing

Concern: TypeAlias = Callable[[bytes], bool]
"""Whether a profile in this state may be concerned."""
MOST = 100
"""Looking for more texts than this takes longer than decoding the state."""


def concern(
    plan: Plan,
    since: int,
    gone_segments: Collection[str] = (),
    gone_facts: Collection[int] = (),
    covered: Collection[str] = (),
) -> Concern | None:
    """For profiles that were all brought to the plan's revision `since`; None: each may be concerned.

    `gone_…` are the segments that went since. `covered` are segments of which it is known otherwise whom
    they may hold for; here they concern those that were in one before. A profile that is passed over may wake
    earlier than it needs to, but never too late.
    """
    newer = plan.newer_than(since)
    if len(newer) + len(gone_segments) + len(gone_facts) > MOST or not newer.isdisjoint(plan.holding):
        return None
    ways: set[tuple[bytes, ...]] = {(id_.encode(),) for id_ in gone_segments}
    ways |= {(msgspec.msgpack.encode(fact),) for fact in gone_facts}
    for position in newer:
        item = plan.order[position]
        ways.add((item.segment.id.encode(),))
        for read in item.reads if item.segment.id not in covered else ():
            ways.update(_ways(read))
    if len(ways) > MOST:
        return None
    single = [way[0] for way in ways if len(way) == 1]
    double = [way for way in ways if len(way) == 2]

    def concerned(state: bytes) -> bool:
        for text in single:
            if text in state:
                return True
        return any(first in state and second in state for first, second in double)

    return concerned


def _ways(read: Read) -> Iterator[tuple[bytes, ...]]:
    """Texts that stand together in the state of a profile for which the leaf is not as for an unknown one."""
    leaf = read.leaf
    match leaf:
        case Attribute(name=name, op="eq", value=str() as value) if not (
            leaf.ignore_case or when_missing(leaf)
        ):
            yield name.encode(), value.encode()
        case Attribute(name=name) | Near(attribute=name):
            yield (name.encode(),)
        case Tag():
            yield ((leaf.name or "").encode(),)  # any tag: no text says whether there is one
        case Consent():
            yield (consent_key(leaf.channel, leaf.topic).encode(),)
        case Bucket():
            pass  # by that alone it may hold for an unknown one, and then all are concerned
        case SegmentRef():
            yield (leaf.id.encode(),)
        case _:
            assert read.fact is not None
            yield (msgspec.msgpack.encode(read.fact.id),)
