"""Bytes → a JSON value that all behind us can bear: neither too long nor too deep. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from livesegments.core.fault import Fault
from livesegments.ingest.receipt import MAX_EVENT_BYTES, Receipt, reject
from livesegments.wire.rejected import Rejected

MAX_DEPTH = 32
"""Objects and lists within each other. Readers recurse; a log must hold nothing that ends one of them."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_anything = msgspec.json.Decoder()


def value_of(data: bytes, receipt: Receipt, at: str = "") -> Any | Rejected:
    """`at` is the pointer that a fault gets."""
    if len(data) > MAX_EVENT_BYTES:
        told = f"{len(data)} bytes; an event has at most {MAX_EVENT_BYTES}"
        return reject(receipt, [Fault(at, "too_long", told)], data)
    try:
        value = _anything.decode(data)
    except UNREADABLE as error:
        return reject(receipt, [Fault(at, "bad_json", f"is not JSON: {error}")], data)
    # no value is deeper than it has brackets, and counting those is cheap
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and deeper(value, MAX_DEPTH):
        return reject(receipt, [Fault(at, "too_deep", f"is nested more than {MAX_DEPTH} levels deep")], data)
    return value


def deeper(value: Any, most: int) -> bool:
    """Whether objects and lists lie within each other on more than `most` levels."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return bool(level)
