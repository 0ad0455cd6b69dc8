"""The names of segments, for pages that show their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from livesegments.client import AsyncClient, NotFound, segments

MOST = 1_000
"""Of a workspace with more, the others are asked for one by one, where a page shows them."""
AT_ONCE = 8
MOST_ASKED = 200


async def of_workspace(api: AsyncClient, shown: Iterable[str] = ()) -> dict[str, str]:
    """Id → name: of the first thousand, and of all that are `shown` (200 at most)."""
    page = await api.send(segments.page(limit=MOST))
    names = {each.id: each.name for each in page.segments}
    if page.next_cursor is not None:
        names |= await of(api, [each for each in shown if each not in names])
    return names


async def of(api: AsyncClient, shown: Iterable[str]) -> dict[str, str]:
    """Id → name of just these (200 at most); those that are gone are left out."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(id_: str) -> tuple[str, str] | None:
        async with turns:
            try:
                return id_, (await api.send(segments.read(id_))).name
            except NotFound:
                return None

    wanted = list(dict.fromkeys(shown))[:MOST_ASKED]
    return dict(filter(None, await asyncio.gather(*map(one, wanted))))


def named_in(definition: Any) -> Iterator[str]:
    """The ids of the segments that conditions of a definition name: pure."""
    if isinstance(definition, dict):
        if definition.get("type") == "segment" and isinstance(definition.get("id"), str):
            yield definition["id"]
        definition = list(definition.values())
    if isinstance(definition, list):
        for each in definition:
            yield from named_in(each)
