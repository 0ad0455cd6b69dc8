"""Bytes → verdicts: each item of what came becomes an accepted event or a rejection. Pure; never raises.

One bad item never loses the others. Only what isn't a list of items at all is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from livesegments.core.fault import Fault
from livesegments.ingest import cloudevents, own, segment_spec
from livesegments.ingest.reading import UNREADABLE, value_of
from livesegments.ingest.receipt import Accepted, Receipt, Verdict, reject
from livesegments.wire.rejected import Rejected

MAX_ITEMS = 20_000
"""More than a body has room for valid ones: nobody needs a verdict for each of a quarter million commas."""


class Batch(Struct):
    """The body of `/v1/batch`; its other fields say nothing about an event."""

    batch: list[Raw]
    sentAt: Any = None


class Verdicts(Struct, frozen=True):
    accepted: list[Accepted]
    rejected: list[Rejected]


_batches = msgspec.json.Decoder(Batch)
_lists = msgspec.json.Decoder(list[Raw])
_one = msgspec.json.Decoder(Raw)


def call(kind: str, body: bytes, receipt: Receipt) -> Verdict:
    """One of Segment's calls, `kind` by its path."""
    item = _object(body, receipt)
    if isinstance(item, Rejected):
        return item
    item["type"] = kind
    return segment_spec.accept(item, body, receipt)


def batch(body: bytes, receipt: Receipt) -> Verdicts | Fault:
    """Segment's `/v1/batch`."""
    try:
        read = _batches.decode(body)
    except (*UNREADABLE, msgspec.ValidationError) as error:
        return Fault("", "bad_json", f"must be {{'batch': [...]}}: {error}")
    if len(read.batch) > MAX_ITEMS:
        return _too_many("/batch", len(read.batch))
    found: list[Verdict] = []
    for index, raw in enumerate(read.batch):
        data = bytes(raw)
        item = _object(data, receipt)
        if isinstance(item, Rejected):
            found.append(item)
        else:
            found.append(segment_spec.accept(item, data, receipt.of_item(index), read.sentAt))
    return _sorted(found)


def events(body: bytes, receipt: Receipt) -> Verdicts | Fault:
    """Our own events: an array, one object a line (NDJSON), or one object over several."""
    text = body.strip()
    if text[:1] == b"[":
        try:
            items = [bytes(raw) for raw in _lists.decode(text)]
        except UNREADABLE as error:
            return Fault("", "bad_json", f"is not a JSON array: {error}")
    elif _is_one(text):
        items = [text]
    else:
        items = [line for line in text.split(b"\n") if line.strip()]
    if len(items) > MAX_ITEMS:
        return _too_many("", len(items))
    found: list[Verdict] = []
    for index, data in enumerate(items):
        item = _object(data, receipt)
        if isinstance(item, Rejected):
            found.append(item)
        else:
            found.append(own.accept(item, data, receipt.of_item(index)))
    return _sorted(found)


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


def _is_one(text: bytes) -> bool:
    try:
        _one.decode(text)
    except UNREADABLE:
        return False
    return True


def _too_many(at: str, items: int) -> Fault:
    return Fault(at, "too_long", f"has {items} items; at most {MAX_ITEMS} are read")


def _sorted(found: list[Verdict]) -> Verdicts:
    accepted = [item for item in found if isinstance(item, Accepted)]
    rejected = [
        msgspec.structs.replace(item, index=index)
        for index, item in enumerate(found)
        if isinstance(item, Rejected)
    ]
    return Verdicts(accepted, rejected)


def workspace_in(value: bytes) -> str | None:
    """The field `workspace` of an object, if there is one."""
    try:
        return _homes.decode(value).workspace
    except (*UNREADABLE, msgspec.ValidationError):
        return None


class _Home(Struct):
    workspace: str | None = None


_homes = msgspec.json.Decoder(_Home)
