"""Entries of the audit log as rows of texts."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.client.audit import AuditEntry
from livesegments.console import formats

NONE = "–"


class Row(Struct, frozen=True):
    when: str
    by: str
    action: str
    name: str
    target: str
    versions: str
    note: str


def row(entry: AuditEntry, zone: ZoneInfo) -> Row:
    """Versions as `1 → 2`; a thing that was made comes from –, one that was deleted goes to it."""
    before, after = (NONE if each is None else str(each.version) for each in (entry.before, entry.after))
    return Row(
        formats.exact(entry.at, zone),
        formats.short(entry.by or "the services themselves"),
        entry.action.replace("_", " "),
        formats.short(entry.name or entry.kind.replace("_", " ")),
        formats.short(f"{entry.kind.replace('_', ' ')} {entry.target}"),
        "" if before == after == NONE else f"{before} → {after}",
        formats.short(": ".join(filter(None, (entry.note, ", ".join(entry.profiles)))), 200),
    )
