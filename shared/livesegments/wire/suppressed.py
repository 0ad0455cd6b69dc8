"""Who was erased is known by a digest of the id alone, so that a late event can't bring a person back.

Example: ada was erased. What is kept is BLAKE2b of `shop NUL ada` under the key of the installation
(`LIVESEGMENTS_ERASURE_KEY`). An event that names `ada` has the same digest and is dropped; whoever has only
the digests, and not the key, can't try ids on them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from livesegments.core.ids import MAX_ID
from livesegments.core.names.flatten import leaves
from livesegments.wire.profilekey import ANONYMOUS, profile_key

SIZE = 16
"""Bytes of a digest; it is written in hexadecimal."""
KEY_BYTES = 64
MAX_NAMED = 10_000
"""Texts of one foreign record that are tried."""

_quoted = re.compile(rb'"((?:[^"\\]|\\.){1,1024})"|(?<![\w."-])(-?[0-9]{1,40})(?![\w."])')
_escaped = re.compile(rb"\\")


def digest(key: str, workspace: str, profile: str) -> str:
    """Of a profile's id, under the installation's key."""
    secret = blake2b(key.encode(), digest_size=KEY_BYTES).digest()
    return blake2b(profile_key(workspace, profile).encode(), digest_size=SIZE, key=secret).hexdigest()


def values_of(key: str, properties: Mapping[str, Any]) -> tuple[str, ...]:
    """Digests of the scalars in an event's properties, or in attributes, that may be among the names seen."""
    return tuple({value_digest(key, value) for _, _, value in leaves(properties, dotted=True) if value})


def value_digest(key: str, value: str) -> str:
    """Of a scalar as JSON."""
    return digest(key, "", value)


def names_any(raw: bytes, key: str, workspaces: Collection[str], digests: Collection[str]) -> bool:
    """Whether foreign bytes have the id of an erased profile in them, as a text or a number of JSON.

    The bytes need not be whole or correct: what was rejected often is not.
    """
    if not digests:
        return False
    for count, text in enumerate(_texts(raw)):
        if count >= MAX_NAMED:
            return True  # not looked at to its end: rather withheld than shown
        ids = (text, ANONYMOUS + text)
        if any(digest(key, workspace, id_) in digests for workspace in workspaces for id_ in ids):
            return True
    return False


def _texts(raw: bytes) -> Iterator[str]:
    seen: set[bytes] = set()
    for match in _quoted.finditer(raw):
        found = match[1] or match[2]
        if found not in seen:
            seen.add(found)
            yield from _read(found)


def _read(quoted: bytes) -> Iterator[str]:
    text = quoted.decode(errors="replace")
    if _escaped.search(quoted):
        try:
            text = msgspec.json.decode(b'"' + quoted + b'"', type=str)
        except msgspec.DecodeError:
            return
    if len(text) <= MAX_ID:
        yield text
