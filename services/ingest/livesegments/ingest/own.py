"""Our own form of an event, and of a change of a profile (an event without a name).

{"profile", "name", "time"?, "id"?, "properties"?}
{"profile", "time"?, "id"?, "attributes"?, "tags"?, "consent"?, "score"?, "groups"?, "lists"?}
"""

from __future__ import annotations

from typing import Any

from livesegments.core.fault import Faults
from livesegments.ingest import traits
from livesegments.ingest.change import finish_change
from livesegments.ingest.receipt import (
    Receipt,
    Verdict,
    content,
    event_name,
    finish,
    identifier,
    instant,
    stamp,
)

COMMON = ("id", "profile", "time", "workspace")
EVENT = (*COMMON, "name", "properties")
PARTS = ("attributes", *traits.BESIDE)


def accept(item: dict[str, Any], raw: bytes, receipt: Receipt) -> Verdict:
    faults = Faults()
    named, changes = "name" in item, any(part in item for part in PARTS)
    # what has neither may be an event whose name is misspelt
    known = EVENT if named else (*COMMON, *PARTS) if changes else (*EVENT, *PARTS)
    faults.object(item, "", known, ("profile",))
    if item.get("workspace") not in (None, receipt.workspace):
        faults.add("/workspace", "conflict", "is another workspace than the one that it was sent to")
    profile = identifier(faults, item["profile"], "/profile") if "profile" in item else None
    given = item.get("id")
    id_ = receipt.default_id if given is None else identifier(faults, given, "/id")
    when = item.get("time")
    given_ms = None if when is None else instant(faults, when, "/time")
    if when is None or given_ms is not None:
        given_ms = stamp(faults, receipt, given_ms, "/time")
    if named:
        name = event_name(faults, item["name"], "/name")
        properties = content(faults, name, item.get("properties"), "/properties")
        return finish(faults, receipt, profile, id_, name, given_ms, properties, raw)
    if not changes and not faults.found:
        told = f"needs 'name' (an event), or one of {', '.join(PARTS)} (a change of the profile)"
        faults.add("", "missing_field", told)
    change = traits.Change(receipt.declared)
    traits.from_own(change, item, receipt.lists)
    return finish_change(faults, receipt, profile, id_, given_ms, change, item, raw, "/attributes")
