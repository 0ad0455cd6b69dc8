"""The paths of an event's properties, with the parts of their values that are kept. Bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from livesegments.core.ids import MAX_ID
from livesegments.core.value import kind

MAX_LEAVES = 500
"""Of one event; the paths after them are not looked at."""
MAX_DEPTH = 10
MAX_ITEMS = 20
"""Of one list."""
MAX_VALUE = 60
"""Characters of a value that is kept."""

_encoder = msgspec.json.Encoder()


def leaves(properties: Mapping[str, Any], dotted: bool) -> Iterator[tuple[str, str, str | None]]:
    """(path, kind, JSON of the value if it is kept): for every scalar, and for every list.

    Text that holds `@` is most often somebody's address: of it no value is kept, nor of long text. Without
    `dotted` an object is not gone into: it is a point.
    """
    found = (
        leaf
        for name, value in properties.items()
        for leaf in _leaves(name, value, MAX_DEPTH if dotted else None)
    )
    return islice(found, MAX_LEAVES)


def _leaves(path: str, value: Any, depth: int | None) -> Iterator[tuple[str, str, str | None]]:
    """`depth`: how far objects are gone into; None where they are points."""
    if value is None or len(path) > MAX_ID:
        return
    if isinstance(value, list):
        yield path, "list", None
        for inner in value[:MAX_ITEMS]:
            if not isinstance(inner, list):
                yield from _leaves(path, inner, depth)
    elif not isinstance(value, dict):
        yield path, kind(value), _kept(value)
    elif depth is None:
        yield path, "point", None
    elif depth:
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}", inner, depth - 1)


def _kept(value: Any) -> str | None:
    if isinstance(value, str) and (len(value) > MAX_VALUE or "@" in value):
        return None
    return _encoder.encode(value).decode()
