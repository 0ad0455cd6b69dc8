"""`livesegments demo`: real customers move through segments, and every membership is proven."""

from __future__ import annotations

import asyncio
import os
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from livesegments.cli import context
from livesegments.cli.demo.vanishing import vanishing
from livesegments.cli.up import fetching, until_interrupted
from livesegments.runtime.settings import PREFIX, Settings

INTERRUPTED = 130


class Which(StrEnum):
    """The logs, by name."""

    cdnow = "cdnow"
    shop = "shop"


def demo(
    only: Annotated[Which | None, typer.Option(help="Replay this log alone.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", envvar="KEEP", help="Go on serving at the end, until interrupted.")
    ] = False,
    as_json: context.JsonOption = False,
) -> None:
    """Replay two real logs through a stack of their own, and recompute every segment from the raw files.

    Exit status 0: every membership was right, member by member. 1: not, or it could not be shown. All is
    gone at the end; with --keep it goes on serving first.
    """
    from livesegments.cli.demo.run import LOGS, run  # noqa: PLC0415  (slow: for this command alone)
    from livesegments.cli.demo.screen import Screen  # noqa: PLC0415
    from livesegments.cli.serving import Wanted, serving  # noqa: PLC0415

    screen = Screen(as_json)
    equal: list[bool] = []
    began = time.monotonic()
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}

    async def work(folder: Path) -> None:
        raw = folder / "raw"
        raw.mkdir()
        logs = tuple(log for log in LOGS if only is None or log.id == only)
        async with serving(Wanted(folder / "data", own, clock="log"), screen.say, fetching()) as up:
            equal.append(await run(up, Settings().partitions, raw, logs, screen))
            screen.verdict(equal[0], time.monotonic() - began)
            if keep:
                screen.keeping(up, folder / "data", logs[0].id)
                await asyncio.Event().wait()

    with vanishing("livesegments-demo-") as folder:
        until_interrupted(work(folder))
    if not equal:
        raise typer.Exit(INTERRUPTED)
    if not equal[0]:
        raise typer.Exit(1)
