"""Where the entries of the catalogue are kept in Redis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from livesegments.core.computed import PREFIX
from livesegments.store import keys
from livesegments.store.changes import Put
from livesegments.wire import catalog as wire
from livesegments.wire.audited import Audited
from livesegments.wire.catalog import (
    ComputedAttribute,
    DeclaredField,
    Entry,
    Key,
    Segment,
    ValueList,
    ValuePart,
    Version,
    Workspace,
)
from livesegments.wire.subscription import PREFIX as SUBSCRIPTION
from livesegments.wire.subscription import Subscription

FIELD = "field:"
"""Before the names of declared attributes, which lie beside the value lists."""


def put(entry: Entry) -> Put:
    """An entry of a workspace's own as it is written."""
    place, field = place_of(entry)
    elsewhere = "" if isinstance(entry, Segment | ComputedAttribute | Subscription) else place
    return Put(field, wire.key_of(entry), wire.encode(entry), place=elsewhere)


def gone(entry: Entry) -> Put:
    """The same to be deleted."""
    return msgspec.structs.replace(put(entry), value=b"")


def own(workspaces: Iterable[str]) -> Iterator[str]:
    """The hashes of workspaces' own entries."""
    for id_ in workspaces:
        yield keys.catalog_values(id_)
        yield keys.catalog_audit(id_)
        yield keys.catalog_lists(id_)
        yield keys.catalog_versions(id_)
        yield keys.catalog_segments(id_)


def place_of(entry: Entry) -> tuple[str, str]:
    """The hash and the field where an entry is kept."""
    match entry:
        case Workspace():
            return keys.CATALOG_WORKSPACES, entry.id
        case Key():
            return keys.CATALOG_KEYS, entry.digest
        case Segment():
            return keys.catalog_segments(entry.workspace), entry.id
        case ComputedAttribute():
            return keys.catalog_segments(entry.workspace), PREFIX + entry.id
        case Subscription():
            return keys.catalog_segments(entry.workspace), SUBSCRIPTION + entry.id
        case Audited():
            return keys.catalog_audit(entry.workspace), entry.id
        case Version():
            return keys.catalog_versions(entry.workspace), f"{entry.id}/{entry.version}"
        case DeclaredField():
            return keys.catalog_lists(entry.workspace), FIELD + entry.name
        case ValueList():
            return keys.catalog_lists(entry.workspace), entry.id
        case ValuePart():
            return keys.catalog_values(entry.workspace), f"{entry.digest}/{entry.part}"
