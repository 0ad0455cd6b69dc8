"""Checks of `where`: filters on an event's properties, and on the items of its lists."""

from __future__ import annotations

from collections.abc import Collection
from datetime import tzinfo
from typing import Any

from livesegments.core import check_value as values
from livesegments.core.fault import Faults, join
from livesegments.core.pattern import Patterns
from livesegments.core.words import OPS

MAX_FILTERS = 20
"""Of one `where`, with those of items."""
MAX_DEPTH = 3
"""Items within items: an order's parcels, what is in them, what that is made of."""
OF_ITEMS = ("item", "no_item")
COMPARING = ("op", "value", "value_list", "when_missing", "ignore_case")


def path(faults: Faults, value: Any, at: str) -> None:
    """A dotted path of an event's properties."""
    name = faults.name(value, at)
    if name is not None and not all(name.split(".")):
        faults.add(at, "bad_path", "is a dotted path: no part of it may be empty")


class Where:
    """`patterns` are counted over a whole definition; `lists`: the workspace's value lists, if they are
    known."""

    def __init__(
        self, faults: Faults, zone: tzinfo, patterns: Patterns, lists: Collection[str] | None
    ) -> None:
        self._faults, self._zone, self._patterns, self._lists = faults, zone, patterns, lists

    def filters(self, value: Any, at: str) -> list[Any]:
        """The filters, as far as there are any."""
        found = self._faults.items(value, at, 0, MAX_FILTERS) or []
        within = sum(self._filter(item, join(at, index), 1) for index, item in enumerate(found))
        if within and len(found) + within > MAX_FILTERS:
            told = f"has {len(found) + within} filters, those of items included; {MAX_FILTERS} are allowed"
            self._faults.add(at, "wrong_length", told)
        return found

    def _filter(self, value: Any, at: str, depth: int) -> int:
        """How many filters there are within it."""
        of = [name for name in OF_ITEMS if name in value] if isinstance(value, dict) else []
        required = ("property",) if of else ("property", "op")
        node = self._faults.object(value, at, ("property", *COMPARING, *OF_ITEMS), required)
        if node is None:
            return 0
        if "property" in node:
            path(self._faults, node["property"], join(at, "property"))
        if of:
            return self._of_items(node, of, at, depth)
        values.comparison(self._faults, node, at, OPS, self._zone, self._patterns, self._lists)
        return 0

    def _of_items(self, node: dict[str, Any], of: list[str], at: str, depth: int) -> int:
        name, *more = of
        for other in [*(each for each in COMPARING if each in node), *more]:
            self._faults.add(join(at, other), "conflict", f"{name!r} and {other!r} exclude each other")
        if depth > MAX_DEPTH:
            told = f"is an item of an item of …, more than {MAX_DEPTH} levels deep"
            self._faults.add(join(at, name), "too_deep", told)
            return 0
        inner = self._faults.items(node[name], join(at, name), 1, MAX_FILTERS) or []
        places = [join(join(at, name), index) for index in range(len(inner))]
        return sum(
            1 + self._filter(item, place, depth + 1) for item, place in zip(inner, places, strict=True)
        )
