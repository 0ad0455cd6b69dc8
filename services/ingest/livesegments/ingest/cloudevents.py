"""CloudEvents 1.0 from Kafka, binary and structured: `type` is the event's name, `subject` the profile.

`source` and `id` together are unique by that specification, so together they are the event's id, or
their SHA-256 in hexadecimal where they are too long for an id. The attribute `workspace` is an extension
of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from livesegments.core.fault import Faults
from livesegments.core.ids import is_id
from livesegments.ingest.reading import value_of
from livesegments.ingest.receipt import (
    Receipt,
    Verdict,
    content,
    event_name,
    finish,
    identifier,
    instant,
    stamp,
)
from livesegments.wire.rejected import Rejected

STRUCTURED = "application/cloudevents+json"
PREFIX = "ce_"


def is_binary(headers: Mapping[str, str]) -> bool:
    return f"{PREFIX}specversion" in headers


def is_structured(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").split(";")[0].strip().lower() == STRUCTURED


def accept_binary(headers: Mapping[str, str], raw: bytes, receipt: Receipt) -> Verdict:
    """Attributes in headers `ce_…`, data in the value."""
    attributes: dict[str, Any] = {
        name[len(PREFIX) :]: value for name, value in headers.items() if name.startswith(PREFIX)
    }
    if raw:
        data = value_of(raw, receipt, "/data")
        if isinstance(data, Rejected):
            return data
        attributes["data"] = data
    return accept(attributes, raw, receipt)


def accept(item: dict[str, Any], raw: bytes, receipt: Receipt) -> Verdict:
    faults = Faults()
    if item.get("specversion") != "1.0":
        faults.add("/specversion", "unknown_value", "must be '1.0'")
    read: dict[str, str | None] = {}
    for field in ("id", "source", "type", "subject"):
        if field not in item:
            faults.add("", "missing_field", f"the attribute {field!r} is missing")
        elif field == "type":
            read[field] = event_name(faults, item[field], "/type")
        else:
            read[field] = identifier(faults, item[field], f"/{field}")
    if "data_base64" in item:
        faults.add("/data_base64", "unknown_field", "binary data says nothing to us; send JSON in 'data'")
    when = item.get("time")
    time_ms = None if when is None else instant(faults, when, "/time")
    properties = content(faults, read.get("type"), item.get("data"), "/data")
    time_ms = stamp(faults, receipt, time_ms, "/time")
    id_ = f"{read.get('source')}#{read.get('id')}"
    if not is_id(id_):
        id_ = sha256(id_.encode()).hexdigest()
    return finish(faults, receipt, read.get("subject"), id_, read.get("type"), time_ms, properties, raw)
