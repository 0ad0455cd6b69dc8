"""Questions to history, made from a workspace's segments as they are now."""

from __future__ import annotations

from collections.abc import Mapping

from livesegments.api.context import Context
from livesegments.api.problems import Problem
from livesegments.core.definition import Node
from livesegments.core.references import references
from livesegments.history.asker import CantAnswer
from livesegments.history.asking import Asked, FlowFound, Flowing, Found, Was, WasFound
from livesegments.wire.catalog import Segment

RETRY_S = 2


def needed(node: Node | None, segments: Mapping[str, Segment], own: str | None) -> dict[str, Node | int]:
    """The segments whose membership decides about a definition, themselves and through others."""
    found: dict[str, Node | int] = {}
    waiting = [node] if node is not None else []
    if node is None and own is not None:
        found[own] = segments[own].definition_version
    while waiting:
        for id_ in references(waiting.pop()).ids:
            segment = segments.get(id_)
            if segment is None or id_ in found or id_ == own:
                continue
            if segment.definition is None:
                found[id_] = segment.definition_version
            else:
                found[id_] = segment.definition
                waiting.append(segment.definition)
    return found


def now(context: Context) -> int | None:
    """None where the clock is that of the log: the partitions know it."""
    return None if context.settings.clock == "log" else context.now_ms()


async def ask(context: Context, asked: Asked) -> Found:
    try:
        return await context.asker.ask(asked)
    except CantAnswer as error:
        raise _later(error) from error


async def was(context: Context, asked: Was) -> WasFound:
    try:
        return await context.asker.was(asked)
    except CantAnswer as error:
        raise _later(error) from error


async def flow(context: Context, asked: Flowing) -> FlowFound:
    try:
        return await context.asker.flow(asked)
    except CantAnswer as error:
        raise _later(error) from error


def _later(error: CantAnswer) -> Problem:
    return Problem(503, f"History can't be asked now: {error}.", headers={"Retry-After": str(RETRY_S)})
