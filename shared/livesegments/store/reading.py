"""A workspace's entries as a snapshot is made of them."""

from __future__ import annotations

from collections.abc import Iterable

from livesegments.core.computed import PREFIX
from livesegments.store.changes import Since
from livesegments.store.snapshot import Snapshot
from livesegments.wire import catalog as wire
from livesegments.wire.catalog import ComputedAttribute, DeclaredField, Segment, ValueList
from livesegments.wire.subscription import PREFIX as SUBSCRIPTION
from livesegments.wire.subscription import Subscription


def brought_up(snapshot: Snapshot, since: Since) -> Snapshot:
    """The snapshot with what was written since."""
    made = snapshot.draft(since.revision)
    lists, fields = beside(since.beside)
    made.lists = {each.id: each for each in lists}
    made.fields = {each.name: each for each in fields}
    for id_, (data, retired) in since.fields.items():
        entry = None if data is None else wire.decode(data)
        if isinstance(entry, ComputedAttribute):
            made.computed[entry.id] = entry
        elif isinstance(entry, Segment):
            made.put(entry)
        elif isinstance(entry, Subscription):
            made.subscriptions[entry.id] = entry
        elif id_.startswith(SUBSCRIPTION):
            made.subscriptions.pop(id_.removeprefix(SUBSCRIPTION), None)
        else:
            made.computed.pop(id_.removeprefix(PREFIX), None)
            made.drop(id_, int(retired or 0))
    return made


def beside(found: Iterable[bytes | None]) -> tuple[list[ValueList], list[DeclaredField]]:
    """What lies beside the segments."""
    entries = [wire.decode(data) for data in found if data is not None]
    lists = [each for each in entries if isinstance(each, ValueList)]
    return lists, [each for each in entries if isinstance(each, DeclaredField)]
