"""Segments of single values of an attribute: which there are, and those that are made of others. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from livesegments.api.segments import editing
from livesegments.api.segments.shapes import NewDynamic
from livesegments.api.web import shapes
from livesegments.core import ids
from livesegments.core.definition import Attribute
from livesegments.core.value_list import shown
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment, Workspace

PLACE = "{value}"
MAX_NAME = 200


class Form(Protocol):
    """How the segments of an attribute's values are called, and what else they have."""

    @property
    def attribute(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def description(self) -> str: ...
    @property
    def tags(self) -> Sequence[str]: ...
    @property
    def folder(self) -> str: ...
    @property
    def topics(self) -> Sequence[str]: ...


def known(snapshot: Snapshot, attribute: str) -> dict[str, str]:
    """Value → the segment whose whole definition is that the attribute equals it."""
    return {
        key(msgspec.json.encode(each.definition.value).decode()): each.id
        for each in snapshot.segments.values()
        if isinstance(each.definition, Attribute)
        and each.definition == Attribute(attribute, "eq", each.definition.value)
    }


def made(
    snapshot: Snapshot,
    workspace: Workspace,
    form: Form,
    values: Sequence[str],
    now_ms: int,
    made_by: str = "",
) -> list[tuple[Segment, str]]:
    """Of values (JSON) that have no segment yet. Raises Problem 409 where the workspace has no room for
    them."""
    growing, there = snapshot.draft(snapshot.revision), known(snapshot, form.attribute)
    found = []
    for value in values:
        if key(value) in there:
            continue
        node = Attribute(form.attribute, "eq", msgspec.json.decode(value))
        new = NewDynamic.model_construct(
            id=None,
            name=named(growing, form.name or f"{form.attribute}: {PLACE}", node.value),
            definition=shapes.Defined(shown(node), node, snapshot.revision),
            description=form.description,
            tags=list(form.tags),
            folder=form.folder,
            topics=list(form.topics),
            tests=[],
        )
        segment = editing.new_segment(growing, workspace, new, now_ms)
        segment = msgspec.structs.replace(segment, made_by=made_by)
        growing.put(segment)
        found.append((segment, value))
    return found


def named(snapshot: Snapshot, name: str, value: Any) -> str:
    """Numbered where it is taken: `city: Kyiv (2)` beside `city: KYIV`."""
    said = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if not said.strip() or ids.fault_of(said) is not None:
        said = msgspec.json.encode(said[:MAX_NAME]).decode()
    return free(snapshot, name.replace(PLACE, said)[:MAX_NAME])


def free(snapshot: Snapshot, name: str) -> str:
    """The name, with a number where it is taken."""
    number = 1
    numbered = name
    while snapshot.named(numbered) is not None:
        number += 1
        end = f" ({number})"
        numbered = name[: MAX_NAME - len(end)] + end
    return numbered


def key(value: str) -> str:
    """Equal for values that are: 1 and 1.0 are one, 1 and true are two."""
    decoded = msgspec.json.decode(value)
    if isinstance(decoded, float) and decoded.is_integer():
        decoded = int(decoded)
    return msgspec.json.encode(decoded).decode()
