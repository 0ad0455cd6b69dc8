"""Waits for segments that are being built, with a bar: profiles done of all, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.client import Client
from livesegments.client import segments

if TYPE_CHECKING:
    from rich.progress import Progress

POLL_S = 0.2

WaitOption = Annotated[bool, typer.Option("--wait", help="Wait until it is ready, with a bar.")]


def until_ready(client: Client, ids: Iterable[str]) -> list[Any]:
    """The segments once ready. The bar is on standard error, and only where that is a terminal."""
    from rich.progress import (  # noqa: PLC0415  (slow: only where one waits)
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output.errors, disable=not output.errors.is_terminal) as bar:
        return [_ready(client, id_, bar) for id_ in ids]


def _ready(client: Client, id_: str, bar: Progress) -> Any:
    task = None
    while (segment := client.ask(segments.read(id_)))["state"] != "ready":
        progress = segment["progress"]
        if task is None:
            task = bar.add_task(id_, total=progress["total"])
        bar.update(task, completed=progress["done"], total=progress["total"] or None)
        time.sleep(POLL_S)
    if task is not None:
        bar.update(task, completed=segment["progress"]["total"], total=segment["progress"]["total"])
    return segment
