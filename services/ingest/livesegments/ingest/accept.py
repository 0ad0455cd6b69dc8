"""Bytes → verdicts: each item of a body becomes an accepted event or a rejection. Pure; never raises.

One bad item never loses the others. Only a body that isn't a list of items at all is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, structs

from livesegments.core.fault import Fault
from livesegments.ingest import cloudevents, own, segment_spec
from livesegments.ingest.reading import is_one, items_of, leniently, members_of, value_of, why
from livesegments.ingest.receipt import Accepted, Receipt, Verdict, reject
from livesegments.wire.rejected import Rejected
from livesegments.wire.unreadable import CAUSES

MAX_ITEMS = 20_000
"""More items than a body has room for valid ones: nobody needs verdicts for a quarter million commas."""


Accept = Callable[[dict[str, Any], bytes, Receipt], Verdict]


class Verdicts(Struct, frozen=True):
    """`left_out` are the odd parts of accepted changes; `single`: one object came, no list of them."""

    accepted: list[Accepted]
    rejected: list[Rejected]
    left_out: list[Rejected] = []
    single: bool = False


def call(kind: str, body: bytes, receipt: Receipt) -> Verdict:
    """One of Segment's calls, `kind` by its path."""
    item = _object(body, receipt)
    if isinstance(item, Rejected):
        return item
    item["type"] = kind
    return segment_spec.accept(item, body, receipt)


def batch(body: bytes, receipt: Receipt) -> Verdicts | Fault:
    """Segment's `/v1/batch`; of its other fields only `sentAt` says anything about an event."""
    members = members_of(body)
    if isinstance(members, Fault):
        return members
    if "batch" not in members:
        return Fault("", "missing_field", "the field 'batch' is missing: a list of calls")
    items = items_of(bytes(members["batch"]), "/batch")
    if isinstance(items, Fault):
        return items
    sent_at = value_of(bytes(members.get("sentAt", b"null")), receipt, "/sentAt")
    if isinstance(sent_at, Rejected):
        return sent_at.faults[0]
    return _judged(items, receipt, lambda item, data, of: segment_spec.accept(item, data, of, sent_at))


def events(body: bytes, receipt: Receipt) -> Verdicts | Fault:
    """Our own events: an array, one object a line (NDJSON), or one object over several."""
    text = body.strip()
    single = False
    if text[:1] == b"[":
        items = items_of(text, "")
        if isinstance(items, Fault):
            return items
    elif is_one(text):
        items, single = [text], True
    else:
        items = [line for line in text.split(b"\n") if line.strip()]
        single = len(items) == 1
    return _judged(items, receipt, own.accept, single)


def _judged(items: list[bytes], receipt: Receipt, accept: Accept, single: bool = False) -> Verdicts | Fault:
    if len(items) > MAX_ITEMS:
        return Fault("", "too_long", f"has {len(items)} items; at most {MAX_ITEMS} are read")
    verdicts = Verdicts([], [], [], single)
    for index, data in enumerate(items):
        item = _object(data, receipt)
        verdict = item if isinstance(item, Rejected) else accept(item, data, receipt.of_item(index))
        if isinstance(verdict, Rejected):
            verdicts.rejected.append(structs.replace(verdict, index=index))
            continue
        verdicts.accepted.append(verdict)
        if verdict.left_out is not None:
            verdicts.left_out.append(structs.replace(verdict.left_out, index=index))
    return verdicts


def without(verdicts: Verdicts, refused: Mapping[int, Rejected]) -> Verdicts:
    """The verdicts with some accepted events refused, by their places among the accepted ones."""
    gone = {item.index for item in verdicts.rejected}
    places = [index for index in range(len(gone) + len(verdicts.accepted)) if index not in gone]
    late = [structs.replace(item, index=places[place]) for place, item in refused.items()]
    lost = {item.index for item in late}
    return Verdicts(
        [each for place, each in enumerate(verdicts.accepted) if place not in refused],
        sorted([*verdicts.rejected, *late], key=lambda item: item.index),
        [item for item in verdicts.left_out if item.index not in lost],
        verdicts.single,
    )


def may_name_lists(body: bytes) -> bool:
    """Whether a field `lists` may be in it, also one that is written with escapes."""
    return b'lists"' in body or b"\\u" in body


def may_change_profiles(body: bytes) -> bool:
    """Whether attributes may be in it: the field `traits` or `attributes`, also written with escapes."""
    return b'traits"' in body or b'attributes"' in body or b"\\u" in body


def write_key(body: bytes) -> str | None:
    """The field `writeKey` of an object: where senders that set no header name their key."""
    try:
        return leniently(_keyed, body).writeKey
    except CAUSES:
        return None


def inbound(headers: Mapping[str, str], value: bytes, receipt: Receipt) -> Verdict:
    """One record of the inbound topic: CloudEvents, one of Segment's calls, or our own."""
    if cloudevents.is_binary(headers):
        return cloudevents.accept_binary(headers, value, receipt)
    item = _object(value, receipt)
    if isinstance(item, Rejected):
        return item
    if cloudevents.is_structured(headers) or "specversion" in item:
        return cloudevents.accept(item, value, receipt)
    if "type" in item:
        return segment_spec.accept(item, value, receipt)
    return own.accept(item, value, receipt)


def _object(data: bytes, receipt: Receipt) -> dict[str, Any] | Rejected:
    item = value_of(data, receipt)
    if isinstance(item, Rejected | dict):
        return item
    return reject(receipt, [Fault("", "wrong_type", "an event is an object")], data)


def workspace_in(value: bytes) -> str | Fault:
    """The field `workspace` of an object."""
    try:
        workspace = leniently(_homes, value).workspace
    except msgspec.ValidationError as error:
        if not str(error).endswith("$.workspace`"):
            return Fault("", "wrong_type", "an event is an object")
        return Fault("/workspace", "wrong_type", "must be a string: the workspace's id")
    except CAUSES as error:
        return Fault("", "bad_json", why(error, value))
    if workspace is None:
        return Fault(
            "/workspace", "missing_field", "the header or field 'workspace' is missing: whose is it?"
        )
    return workspace


class _Home(Struct):
    workspace: str | None = None


class _Keyed(Struct):
    writeKey: str | None = None


_homes = msgspec.json.Decoder(_Home)
_keyed = msgspec.json.Decoder(_Keyed)
