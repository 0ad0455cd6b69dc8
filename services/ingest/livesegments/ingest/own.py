"""Our own form of an event, and of a change of a profile (an event without a name).

{"profile", "name", "time"?, "id"?, "properties"?}
{"profile", "time"?, "id"?, "attributes"?, "tags"?, "consent"?, "score"?, "groups"?, "lists"?}
"""

from __future__ import annotations

from typing import Any

from livesegments.core.event import PROFILE
from livesegments.core.fault import Faults
from livesegments.ingest import traits
from livesegments.ingest.receipt import (
    Receipt,
    Verdict,
    event_name,
    finish,
    identifier,
    instant,
    properties_of,
    stamp,
)

COMMON = ("id", "profile", "time", "workspace")
EVENT = (*COMMON, "name", "properties")
PARTS = ("attributes", *traits.BESIDE)


def accept(item: dict[str, Any], raw: bytes, receipt: Receipt) -> Verdict:
    faults = Faults()
    named = "name" in item
    faults.object(item, "", EVENT if named else (*COMMON, *PARTS), ("profile",))
    if item.get("workspace") not in (None, receipt.workspace):
        faults.add("/workspace", "conflict", "is another workspace than the one that it was sent to")
    profile = identifier(faults, item["profile"], "/profile") if "profile" in item else None
    given = item.get("id")
    id_ = receipt.default_id if given is None else identifier(faults, given, "/id")
    when = item.get("time")
    time_ms = receipt.received_ms
    if when is not None:
        time_ms = stamp(faults, receipt, instant(faults, when, "/time"), "/time") or 0
    if named:
        name = event_name(faults, item["name"], "/name")
        properties = properties_of(faults, item.get("properties"), "/properties")
    else:
        name, properties = PROFILE, traits.from_own(faults, item)
        if not properties and not faults.found and not any(part in item for part in PARTS):
            told = f"needs 'name' (an event), or one of {', '.join(PARTS)} (a change of the profile)"
            faults.add("", "missing_field", told)
    return finish(faults, receipt, profile, id_, name, time_ms, properties, raw)
