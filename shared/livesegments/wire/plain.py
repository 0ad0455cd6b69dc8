"""The values that an event may carry: what JSON can say, with finite numbers.

MessagePack can say more (bytes, extensions, NaN, keys that are not strings), and every reader would have to
cope with it. `Shallow` is checked by msgspec while it decodes, at no cost; it ends at `SHALLOW` levels,
because msgspec knows no recursive types but structs. `check` takes any depth.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeAlias

from msgspec import Meta

from livesegments.wire.unreadable import Unreadable

MAX_DEPTH = 64
"""Objects and lists within each other; ingest takes 32."""

_MAX = 1.7976931348623157e308
Finite: TypeAlias = Annotated[float, Meta(ge=-_MAX, le=_MAX)]
_Leaf: TypeAlias = bool | int | Finite | str | None
_Two: TypeAlias = _Leaf | list[_Leaf] | dict[str, _Leaf]
_Three: TypeAlias = _Leaf | list[_Two] | dict[str, _Two]
Shallow: TypeAlias = _Leaf | list[_Three] | dict[str, _Three]
"""At most three levels of lists and objects."""


def check(properties: dict[Any, Any]) -> None:
    """Raises Unreadable with the first value that no event may carry."""
    level: list[Any] = [properties]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                for key in node:
                    if type(key) is not str:
                        raise Unreadable(f"a name of a property is {key!r}, not a string")
                below += node.values()
            else:
                below += node
        level = [value for value in below if not _leaf(value)]
        if not level:
            return
    raise Unreadable(f"properties are nested more than {MAX_DEPTH} levels deep")


def _leaf(value: Any) -> bool:
    """False for a list or an object. Raises Unreadable."""
    kind = type(value)
    if kind is float and not math.isfinite(value):
        raise Unreadable(f"a property has the value {value}: numbers are finite")
    if kind in (str, bool, int, float, type(None)):
        return True
    if kind in (list, dict):
        return False
    raise Unreadable(f"a property has a value of type {kind.__name__}")
