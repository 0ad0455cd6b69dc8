"""Warnings that a question to history is answered short, because a window reaches back beyond what is kept.

Example: the workspace keeps 365 days, and "bought in the last 2 years" is previewed. What was bought before
that isn't there, so the preview counts too few, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from livesegments.api.context import Context
from livesegments.api.segments.advice import Warned
from livesegments.api.web import times
from livesegments.core.beyond import pointers
from livesegments.core.definition import Node
from livesegments.store import keys
from livesegments.wire.catalog import Workspace

CODE = "history_short"


async def since(context: Context, workspace: str) -> int | None:
    """Of the workspace's events, those before this instant (ms) may be gone; None: none are."""
    async with context.redis.pipeline(transaction=False) as pipe:
        for partition in range(context.settings.partitions):
            pipe.hget(keys.retained(partition), workspace)
        found = [int(each) for each in await pipe.execute() if each is not None]
    return max(found, default=None)


async def warnings(
    context: Context,
    workspace: Workspace,
    node: Node | None,
    segments: Mapping[str, Node | int],
    at_ms: int,
    before: Node | None = None,
) -> list[Warned]:
    """Of a definition that was asked about as of an instant (ms).

    `segments`: the others that decide about it. `before`: the definition whose place it would take.
    """
    since_ms = await since(context, workspace.id)
    if since_ms is None:
        return []

    def beyond(each: Node) -> list[str]:
        return pointers(each, since_ms, at_ms, workspace.timezone)

    gone = f"events before {times.iso(since_ms)} are not kept"
    found = []
    if node is not None:
        found += [
            (f"/definition{pointer}", f"{gone}, and this reaches further back: it is counted short")
            for pointer in beyond(node)
        ]
    if before is not None and beyond(before):
        text = f"{gone}, and the definition so far reaches further back: who enters or leaves may be wrong"
        found.append(("", text))
    found += [
        ("/definition", f"{gone}, and the segment {id_} reaches further back: it is counted short")
        for id_, other in sorted(segments.items())
        if not isinstance(other, int) and beyond(other)
    ]
    return [Warned(pointer=pointer, code=CODE, message=text) for pointer, text in found]
