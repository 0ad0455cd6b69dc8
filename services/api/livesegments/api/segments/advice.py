"""Warnings about conditions that their author hardly means so. They never refuse anything."""

from __future__ import annotations

from typing import TypeAlias

import structlog
from pydantic import BaseModel, Field

from livesegments.api.context import Context
from livesegments.api.segments.shapes import SegmentOut
from livesegments.core.definition import Node
from livesegments.core.names.seen import Names
from livesegments.core.names.unseen import unseen
from livesegments.core.warnings import warnings as hardly_meant
from livesegments.wire.catalog import Segment

Seen: TypeAlias = Names
"""The names that were seen in a workspace."""
_log = structlog.get_logger(__name__)


class Warned(BaseModel):
    """One warning: the segment is created or edited all the same."""

    pointer: str = Field(description="A JSON pointer into the segment, such as `/definition/of/0/name`.")
    code: str = Field(description="Which warning it is: `always`, `never`, `unseen_event` and so on.")
    message: str = Field(description="What the definition may not mean, as a sentence.")


class EditedSegment(SegmentOut):
    """A segment that was created or edited, with the warnings of its definition."""

    warnings: list[Warned] = Field(description="What may be meant otherwise; empty if nothing is noticed.")


async def names(context: Context, workspace: str) -> Seen:
    """The names that were seen; none while they can't be read, and then no name is called unseen."""
    try:
        return await context.names.read(workspace)
    except OSError as error:
        _log.warning("the names that were seen can't be read", error=repr(error))
        return {}


def warnings(node: Node | None, seen: Seen) -> list[Warned]:
    """Of a segment's definition; none for a static segment."""
    if node is None:
        return []
    return [
        Warned(pointer=f"/definition{each.pointer}", code=each.code, message=each.message)
        for each in (*hardly_meant(node), *unseen(node, seen))
    ]


async def warned(context: Context, segment: Segment, answer: SegmentOut) -> EditedSegment:
    """The answer to a request that created or edited the segment."""
    seen = await names(context, segment.workspace)
    return EditedSegment(**answer.model_dump(), warnings=warnings(segment.definition, seen))
