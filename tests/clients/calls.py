"""The events that the drivers' calls have to become, whichever library sends them."""

from __future__ import annotations

from typing import Any

from livesegments.core.event import ALIAS, MERGE, PROFILE, Event
from livesegments.wire.rejected import Record

IDENTIFY = {
    "attributes": {
        "email": "ann@example.com",
        "age": 31,
        "address.city": "Berlin",
        "langs": ["de", "en"],
    }
}
ORDER = {"total": 59.9, "products": [{"id": "p1"}]}
PAGE = {"url": "https://example.com/", "name": "Home", "category": "Shop"}
SCREEN = {"items": 2, "name": "Cart", "category": "Shop"}
GROUP = {"groups": ["initech"]}
ALIAS_OF = {"previous_id": "a-1"}
EVERYTHING: tuple[tuple[str, dict[str, Any]], ...] = (
    (PROFILE, IDENTIFY),
    ("Order Placed", ORDER),
    ("Seen", {}),
    ("page", PAGE),
    ("screen", SCREEN),
    (PROFILE, GROUP),
    (ALIAS, ALIAS_OF),
)
ORDERED_MS = 1_772_366_400_000
"""The order's stamp, 2026-03-01T12:00:00Z."""
SKEW_MS = 60_000
"""A stamp is corrected by the sender's clock, which is ours: by how long the request took."""


def shown(events: list[Event]) -> list[tuple[str, dict[str, Any]]]:
    """Names and properties, in the order of the calls; without the merges that two ids bring about."""
    events = [event for event in events if event.name != MERGE]
    assert {event.profile for event in events} <= {"ann"}
    assert len({event.id for event in events}) == len(events)
    return [(event.name, dict(event.properties)) for event in events]


def check_odd(events: list[Event], rejected: list[Record]) -> None:
    """Of the calls `odd`, the good calls and the good traits are there; the odd ones are refused by
    themselves."""
    assert sorted(shown(events), key=repr) == [
        (PROFILE, {"attributes": {"email": "ann@example.com"}}),
        ("Seen", {}),
    ]
    pointers = {fault.pointer for record in rejected for fault in record.faults}
    assert "/event" in pointers and any("/traits/companies" in pointer for pointer in pointers)
