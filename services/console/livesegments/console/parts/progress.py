"""Something that takes a while, as it is done: a bar, in words too, until it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from livesegments.console import formats
from livesegments.console.parts.tag import Tag

LOOK_S = 0.5


class Step(Struct, frozen=True):
    """How far it is. `ended`: there is no more to wait for; `fault`: why it failed, empty if it did not."""

    done: int
    total: int
    ended: bool = False
    fault: str = ""


class Bar:
    """Made where it is to be shown."""

    def __init__(self, name: str, unit: str) -> None:
        self._unit = unit
        self._says = Tag("p", "", "muted", role="status")
        self._bar = Tag("progress", aria_label=name, max=1, value=0)

    def show(self, step: Step) -> None:
        self._bar.set(max=max(1, step.total), value=min(step.done, max(1, step.total)))
        self._says.text = f"{formats.number(step.done)} of {formats.number(step.total)} {self._unit}"


async def until_ended(look: Callable[[], Awaitable[Step]], bar: Bar) -> Step:
    """Looks now and then, and shows how far it is. Raises what `look` raises."""
    while not (step := await look()).ended:
        bar.show(step)
        await asyncio.sleep(LOOK_S)
    bar.show(step)
    return step
