"""Every fault of a computed attribute, at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from livesegments.core import check_value as values
from livesegments.core.check import Checker
from livesegments.core.circle import Others
from livesegments.core.definition import Computed
from livesegments.core.event import SEGMENT_ENTERED, SEGMENT_EXITED
from livesegments.core.fault import Fault, Faults, join
from livesegments.core.references import measured
from livesegments.core.value_list import referring
from livesegments.core.weeks import MONDAY, with_weeks
from livesegments.core.words import MEASURES, VALUES

FIELDS = ("name", "names", "where", "window", "measure")


def check_computed(
    document: object,
    *,
    timezone: str = "UTC",
    others: Others | None = None,
    lists: Mapping[str, str] | None = None,
    week_start: str = MONDAY,
) -> tuple[Computed | None, list[Fault]]:
    """The node and no faults, or None and every fault. The arguments are those of `check.check`.

    Transitions of segments are measured only where a filter names the segments: those of all others would be
    those of whoever asks for it, too.
    """
    faults = Faults()
    given = faults.object(document, "", FIELDS, ("measure",))
    if given is not None:
        _fields(faults, given, ZoneInfo(timezone), others, lists)
    if faults.found:
        return None, faults.found
    document = with_weeks({"type": "computed", **(given or {})}, week_start)
    node = msgspec.convert(document, Computed)
    if measured(node).all_others:
        told = f"of {SEGMENT_ENTERED} and {SEGMENT_EXITED} a filter has to name the segments, by eq or in"
        return None, [Fault("/where" if "where" in (given or {}) else "", "missing_field", told)]
    if lists is not None:
        node = referring(node, lists)  # type: ignore[assignment]
    return node, []


def _fields(
    faults: Faults,
    given: dict[str, Any],
    zone: ZoneInfo,
    others: Others | None,
    lists: Collection[str] | None,
) -> None:
    checker = Checker(faults, zone, others, None, lists)
    checker.happening(given, "")
    values.window(faults, given.get("window"), join("", "window"), zone)
    if "measure" in given:
        checker.measure(given["measure"], join("", "measure"), MEASURES | VALUES)
