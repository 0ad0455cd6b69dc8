"""A key stands once in an object: `{"op": "eq", "op": "neq"}` means two things; readers silently keep one.

The usual text is checked without a second parser. Every member of an object has one colon outside of strings,
and a member that a reader dropped takes its colon along. So the text and what was read of it, written down
again, have the same number of colons exactly when nothing was dropped. Only where a colon is written as an
escape, or the numbers differ, is the text read once more, and slowly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from livesegments.core.fault import Fault, join

_COLON_ESCAPE = re.compile(rb"\\u003a", re.IGNORECASE)
_encode = msgspec.json.Encoder().encode


def repeated(data: bytes, value: Any, at: str = "") -> Fault | None:
    """The fault of the first key that stands twice in an object of the JSON text `data`.

    `value` is what was read of `data`, in which the last of equal keys stands. `at` is its JSON pointer.
    """
    if data.count(b":") == _encode(value).count(b":") and not _escapes(data):
        return None
    return _searched(data, at)


def repeated_member(data: bytes, members: dict[str, msgspec.Raw], at: str = "") -> Fault | None:
    """As `repeated`, but of the outermost object only: `members` are its keys and their unread values."""
    colons = sum(bytes(raw).count(b":") for raw in members.values())
    if data.count(b":") == colons + _encode(dict.fromkeys(members)).count(b":") and not _escapes(data):
        return None
    return _searched(data, at, inner=False)


def _escapes(data: bytes) -> bool:
    return b"\\u" in data and _COLON_ESCAPE.search(data) is not None


class _Twice(dict[str, Any]):
    """An object in which `key` stands twice."""

    key = ""


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) == len(members):
        return found
    twice, seen = _Twice(found), set()
    for key, _ in members:
        if key in seen:
            twice.key = key
            break
        seen.add(key)
    return twice


def _searched(data: bytes, at: str, inner: bool = True) -> Fault | None:
    text = data.decode("utf-8", errors="surrogateescape")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        return Fault(at, "bad_json", f"is not JSON: {error}")
    return _first(value, at, inner)


def _first(value: Any, at: str, inner: bool) -> Fault | None:
    if isinstance(value, _Twice):
        return Fault(join(at, value.key), "repeated_key", "stands twice in this object: send it once")
    if not inner:
        return None
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, member in members:
        fault = _first(member, join(at, name), inner)
        if fault is not None:
            return fault
    return None
