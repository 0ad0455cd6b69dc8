"""Segment's calls: identify, track, page, screen, group, alias (its public HTTP tracking API).

A user is the profile of its `userId`; without one, `anonymousId` is a profile of its own. `timestamp` is
corrected by how far the sender's clock was off: receipt − (sentAt − timestamp). A call that Segment handed
on or exported, which has `receivedAt` or `originalTimestamp`, was corrected there. We are as lenient as its
own libraries need: they send empty strings for fields that are not set, and ids as numbers.
"""

from __future__ import annotations

from typing import Any

from msgspec import structs

from livesegments.core.declared import Declarations
from livesegments.core.event import ALIAS, PROFILE
from livesegments.core.fault import Faults, kind_name, shown
from livesegments.core.ids import is_id
from livesegments.ingest import traits
from livesegments.ingest.change import finish_change
from livesegments.ingest.receipt import (
    Accepted,
    Receipt,
    Verdict,
    content,
    event_name,
    finish,
    identifier,
    instant,
    merge,
    properties_of,
    stamp,
)
from livesegments.wire.profilekey import ANONYMOUS

CALLS = ("identify", "track", "page", "screen", "group", "alias")
MERGING = ("identify", "alias")
UNSET = (None, "")


def accept(item: dict[str, Any], raw: bytes, receipt: Receipt, sent_at: Any = None) -> Verdict:
    """One call; `item["type"]` says which. `sent_at` is that of its batch."""
    faults = Faults()
    call = faults.choice(item.get("type"), "/type", CALLS)
    profile = _profile(faults, item)
    given = item.get("messageId")
    id_ = receipt.default_id if given is None else _id(faults, given, "/messageId")
    corrected = "receivedAt" in item or "originalTimestamp" in item
    time_ms = _time(faults, item, receipt, None if corrected else item.get("sentAt", sent_at))
    if call == "identify":
        change = _identified(faults, item, receipt.declared)
        verdict = finish_change(faults, receipt, profile, id_, time_ms, change, item, raw, "/traits")
    else:
        name, properties = _content(faults, call, item) if call else (None, None)
        verdict = finish(faults, receipt, profile, id_, name, time_ms, properties, raw)
    if receipt.merge and call in MERGING and isinstance(verdict, Accepted):
        return _merging(verdict, item, id_, time_ms)
    return verdict


def _merging(verdict: Accepted, item: dict[str, Any], id_: str | None, time_ms: int | None) -> Accepted:
    """With what lets the anonymous profile of an `identify`, or the previous one of an `alias`, go into the
    known one. A previous id may be a user's or an anonymous one: nothing says which, so both go."""
    assert id_ is not None and time_ms is not None
    if item.get("userId") in UNSET:
        return verdict
    if item["type"] == "identify":
        given = item.get("anonymousId")
        read = None if given in UNSET else _id(Faults(), given, "")
        olds = [] if read is None else [ANONYMOUS + read]
    else:
        previous = _id(Faults(), item["previousId"], "") or ""
        olds = [previous] if previous.startswith(ANONYMOUS) else [previous, ANONYMOUS + previous]
    known = [] if verdict.profile in olds else [old for old in olds if is_id(old)]
    return structs.replace(verdict, merges=tuple(merge(verdict, old, id_, time_ms) for old in known))


def _profile(faults: Faults, item: dict[str, Any]) -> str | None:
    user, anonymous = item.get("userId"), item.get("anonymousId")
    if user not in UNSET:
        read = _id(faults, user, "/userId")
        if read is not None and read.startswith(ANONYMOUS):
            faults.add(
                "/userId", "reserved_name", f"ids that begin with {ANONYMOUS!r} are of anonymous profiles"
            )
        return read
    if anonymous in UNSET:
        faults.add("", "missing_field", "needs 'userId' or 'anonymousId'")
        return None
    read = _id(faults, anonymous, "/anonymousId")
    return None if read is None else identifier(faults, ANONYMOUS + read, "/anonymousId")


def _id(faults: Faults, value: Any, at: str) -> str | None:
    """A string, or a whole number: that is its digits."""
    return identifier(faults, str(value) if type(value) is int else value, at)


def _time(faults: Faults, item: dict[str, Any], receipt: Receipt, sent_at: Any) -> int | None:
    given = item.get("timestamp")
    if given is None:
        return stamp(faults, receipt, None, "/timestamp")
    time_ms = instant(faults, given, "/timestamp")
    if time_ms is None:
        return None
    moved = ""
    if sent_at is not None and receipt.log is None:
        sent_ms = instant(faults, sent_at, "/sentAt")
        if sent_ms is None:
            return None
        moved_s = (receipt.received_ms - sent_ms) / 1_000
        moved = (
            f": 'sentAt' {shown(sent_at)} differs from our clock by {abs(moved_s):.0f} s: 'timestamp' was "
            "moved by as much: is 'sentAt' in UTC, or does it name its offset?"
        )
        time_ms = max(0, receipt.received_ms - (sent_ms - time_ms))
    return stamp(faults, receipt, time_ms, "/timestamp", moved)


def _identified(faults: Faults, item: dict[str, Any], declared: Declarations) -> traits.Change:
    """The traits of an identify, and those in its context, where some libraries put them."""
    # what stands in both is taken from the top
    change = traits.Change(declared)
    found = properties_of(faults, item.get("traits"), "/traits") or {}
    context = item.get("context")
    more = context.get("traits") if isinstance(context, dict) else None
    if more is not None:
        odd = Faults()
        inner = properties_of(odd, more, "/context/traits") or {}
        change.leave("context", more, odd)
        traits.from_traits(change, {k: v for k, v in inner.items() if k not in found}, "/context/traits")
    traits.from_traits(change, found, "/traits")
    return change


def _content(faults: Faults, call: str, item: dict[str, Any]) -> tuple[str | None, dict[str, Any] | None]:
    """The event's name and properties."""
    match call:
        case "track":
            if "event" not in item:
                faults.add("", "missing_field", "the field 'event' is missing: what happened?")
                return None, None
            name = event_name(faults, item["event"], "/event")
            return name, content(faults, name, item.get("properties"), "/properties")
        case "group":
            if "groupId" not in item:
                faults.add("", "missing_field", "the field 'groupId' is missing")
                return None, None
            group = _id(faults, item["groupId"], "/groupId")
            return PROFILE, {"groups": [group]}
        case "alias":
            if "previousId" not in item:
                faults.add("", "missing_field", "the field 'previousId' is missing")
                return None, None
            return ALIAS, {"previous_id": _id(faults, item["previousId"], "/previousId")}
    properties = dict(properties_of(faults, item.get("properties"), "/properties") or {})
    for field in ("name", "category"):
        if item.get(field) not in UNSET:
            properties[field] = _text(faults, item[field], f"/{field}")
    return call, properties


def _text(faults: Faults, value: Any, at: str) -> str | None:
    """A string of any length: the title of a page is a value, no name."""
    if isinstance(value, str):
        return value
    faults.add(at, "wrong_type", f"must be a string, not {kind_name(value)}")
    return None
