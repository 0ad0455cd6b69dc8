"""Questions to history, made from a workspace's segments as they are now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from livesegments.api.context import Context
from livesegments.api.web.problems import Problem
from livesegments.core.definition import Node
from livesegments.core.references import references
from livesegments.core.value_list import named, spelled
from livesegments.history.asker import CantAnswer
from livesegments.history.asking import Asked, FitFound, Fitting, FlowFound, Flowing, Found, Was, WasFound
from livesegments.wire.catalog import Segment

T = TypeVar("T")

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
    whole = replace(
        asked,
        definition=await _spelled(context, asked.workspace, asked.definition),
        before=await _spelled(context, asked.workspace, asked.before),
        segments=await _all_spelled(context, asked.workspace, asked.segments),
    )
    return await _answered(context, lambda: context.asker.ask(whole))


async def was(context: Context, asked: Was) -> WasFound:
    whole = replace(
        asked,
        definition=await _spelled(context, asked.workspace, asked.definition),
        segments=await _all_spelled(context, asked.workspace, asked.segments),
    )
    return await _answered(context, lambda: context.asker.was(whole))


async def flow(context: Context, asked: Flowing) -> FlowFound:
    return await _answered(context, lambda: context.asker.flow(asked))


async def fitting(context: Context, asked: Fitting) -> FitFound:
    return await _answered(context, lambda: context.asker.fitting(asked))


async def _answered(context: Context, ask: Callable[[], Awaitable[T]]) -> T:
    """Registers and tails are in the store: what is read of one that lost them is not given away.

    Raises Restoring, or Problem 503."""
    await context.heads.look()  # no long question is asked in vain
    try:
        return await context.heads.whole(ask)
    except CantAnswer as error:
        raise _later(error) from error


async def _spelled(context: Context, workspace: str, node: Node | None) -> Node | None:
    """The process that queries history knows no value lists: their values go to it with the question."""
    if node is None or not named(node):
        return node
    return spelled(node, await context.contents.of(workspace, [node]))


async def _all_spelled(
    context: Context, workspace: str, segments: Mapping[str, Node | int]
) -> dict[str, Node | int]:
    found: dict[str, Node | int] = {}
    for id_, each in segments.items():
        node = None if isinstance(each, int) else await _spelled(context, workspace, each)
        found[id_] = each if node is None else node
    return found


def _later(error: CantAnswer) -> Problem:
    return Problem(503, f"History can't be asked now: {error}.", headers={"Retry-After": str(RETRY_S)})
