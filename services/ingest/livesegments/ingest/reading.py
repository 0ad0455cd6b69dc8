"""Bytes → a JSON value that is neither too long nor too deep for the services behind ingest. Pure."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any, TypeVar

import msgspec

from livesegments.core.fault import Fault
from livesegments.core.json_keys import repeated, repeated_member
from livesegments.ingest.receipt import MAX_EVENT_BYTES, Receipt, reject
from livesegments.wire.rejected import Rejected
from livesegments.wire.unreadable import CAUSES

Read = TypeVar("Read")

MAX_DEPTH = 32
"""Objects and lists within each other. Readers recurse; a log must hold nothing that ends one of them."""
CHANGES = ("traits", "attributes", "context")
"""Fields of a profile's change, whose readers leave out a number that is none, and nothing else."""

_LONE = re.compile(
    rb"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|"
    rb"(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_NO_NUMBER = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|-?Infinity|NaN', re.DOTALL)
"""What Python's json and others write for floats that are no numbers; strings are passed over, also one that
does not end."""
_BYTE = re.compile(r"\(byte (\d+)\)")
_anything = msgspec.json.Decoder()
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_one = msgspec.json.Decoder(msgspec.Raw)
_beyond = msgspec.json.Decoder(float_hook=float)


def value_of(data: bytes, receipt: Receipt, at: str = "") -> Any | Rejected:
    """`at` is the pointer that a fault gets."""
    if len(data) > MAX_EVENT_BYTES:
        told = f"{len(data)} bytes; an event has at most {MAX_EVENT_BYTES}"
        return reject(receipt, [Fault(at, "too_long", told)], data)
    try:
        value = _decoded(data)
    except CAUSES as error:
        return reject(receipt, [Fault(at, "bad_json", why(error, data))], data)
    # no value is deeper than it has brackets, and counting those is cheap
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and deeper(value, MAX_DEPTH):
        return reject(receipt, [Fault(at, "too_deep", f"is nested more than {MAX_DEPTH} levels deep")], data)
    # of mended text, so that no pointer has a lone surrogate
    fault = repeated(data, value, at) and repeated(mended(data), value, at)
    return value if fault is None else reject(receipt, [fault], data)


def _decoded(data: bytes) -> Any:
    """Raises one of CAUSES."""
    try:
        return leniently(_anything, data)
    except msgspec.ValidationError:  # a number that no double holds; it may be in one odd trait
        value = _beyond.decode(mended(data))
        if not isinstance(value, dict):
            raise
        if not all(_finite(member) for field, member in value.items() if field not in CHANGES):
            raise
        return value


def members_of(data: bytes) -> dict[str, msgspec.Raw] | Fault:
    """The members of an object, their values unread."""
    try:
        members = leniently(_members, data)
    except msgspec.ValidationError:
        return Fault("", "wrong_type", "must be an object")
    except CAUSES as error:
        return Fault("", "bad_json", why(error, data))
    return repeated_member(data, members) or members


def items_of(data: bytes, at: str) -> list[bytes] | Fault:
    """The items of a list, unread."""
    try:
        return [bytes(raw) for raw in leniently(_items, data)]
    except msgspec.ValidationError:
        return Fault(at, "wrong_type", "must be a list")
    except CAUSES as error:
        return Fault(at, "bad_json", why(error, data))


def is_one(text: bytes) -> bool:
    """Whether the text is one JSON value."""
    try:
        leniently(_one, text)
    except CAUSES:
        return False
    return True


def leniently(decoder: msgspec.json.Decoder[Read], data: bytes) -> Read:
    """Reads text that is no JSON as what it becomes when it is mended. Raises one of CAUSES."""
    try:
        return decoder.decode(data)
    except msgspec.DecodeError:
        whole = mended(data)
        if whole == data:
            raise
        return decoder.decode(whole)


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    return all(map(_finite, value)) if isinstance(value, list) else True


def mended(data: bytes) -> bytes:
    """JSON text whose lone surrogates are U+FFFD, as browsers write them: a text that was cut may end with
    half an emoji, which is no reason to lose all that came with it. For the same reason NaN and Infinity
    become a number that no double holds: then they are one odd number, and the rest can be read."""
    if b"NaN" in data or b"Infinity" in data:
        data = _NO_NUMBER.sub(lambda found: found[0] if found[0][:1] == b'"' else b"1e999", data)
    if b"\\u" not in data:
        return data
    return _LONE.sub(lambda found: found[0] if found[2] else found[3] + b"\\ufffd", data)


def why(error: Exception, data: bytes) -> str:
    """What is wrong with text that is not JSON, in our own words."""
    if isinstance(error, UnicodeDecodeError):
        return "is not JSON: a text in it is not UTF-8"
    if isinstance(error, RecursionError):
        return "is not JSON that can be read: it is nested too deep"
    if isinstance(error, msgspec.ValidationError):
        return "has a number that is not finite: NaN, Infinity, or too large for a 64-bit float"
    at = _BYTE.search(str(error))
    if not data.strip():
        return "is not JSON: it is empty"
    if at is None:
        return "is not JSON: it ends too early"
    near = data[int(at[1]) : int(at[1]) + 20].decode(errors="replace")
    return f"is not JSON at byte {at[1]}, near {near!r}"


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
