"""`livesegments send FILE.ndjson`: lines of Segment's form or our own, mixed, through HTTP ingest."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from uuid import uuid4

import msgspec
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from livesegments.cli import context, output
from livesegments.cli.client import Problem
from livesegments.cli.sender import Item, Refused, Sender

SHOWN = 20


def send(
    file: Annotated[
        str, typer.Argument(metavar="FILE.ndjson", help="One event a line; `-` is standard input.")
    ],
    ingest: context.IngestOption = None,
    key: context.WriteKeyOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Send events, in the file's order; ends when all are acknowledged. Exit status 1 if any was refused."""
    target = context.ingest(ingest, key, data)
    with ExitStack() as stack:
        source, size = _opened(file, stack)
        progress = stack.enter_context(
            Progress(
                TextColumn("{task.fields[counts]}"),
                BarColumn(),
                DownloadColumn(),
                TimeElapsedColumn(),
                console=output.errors,
                transient=True,
                disable=as_json or not output.errors.is_terminal,
            )
        )
        tally = Tally(progress, size)
        asyncio.run(_send(source, target, tally))
    if as_json:
        output.json({"accepted": tally.accepted, "refused": tally.refused})
    else:
        _report(tally)
    if tally.refused:
        raise typer.Exit(1)


class Tally:
    """What was accepted and refused so far, and the bar that shows it."""

    def __init__(self, progress: Progress, size: int | None) -> None:
        self.accepted = 0
        self.refused: list[Refused] = []
        self._progress = progress
        self._task = progress.add_task("send", total=size, counts="")

    def told(self, accepted: int, refused: list[Refused]) -> None:
        self.accepted += accepted
        self.refused += refused
        counts = f"{self.accepted:,} accepted" + (f", {len(self.refused):,} refused" if self.refused else "")
        self._progress.update(self._task, counts=counts)

    def read(self, size: int) -> None:
        self._progress.advance(self._task, size)


async def _send(source: BinaryIO, target: context.Target, tally: Tally) -> None:
    async with Sender(target.url, target.key, tally.told) as sender:
        for number, line in _lines(source):
            tally.read(len(line))
            try:
                await sender.put(0, item_of(number, line))
            except ValueError as error:
                tally.told(0, [Refused(number, "malformed", str(error))])


def item_of(number: int, line: bytes) -> Item:
    """Tells the two forms apart, and gives an id to an event without one. Raises ValueError."""
    try:
        event: Any = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(event, dict):
        raise ValueError("not a JSON object")
    segment = "type" in event
    id_field = "messageId" if segment else "id"
    if id_field not in event:
        line = msgspec.json.encode({id_field: str(uuid4()), **event})
    return Item("segment" if segment else "own", number, line.strip())


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(source, 1) if line.strip())


def _opened(file: str, stack: ExitStack) -> tuple[BinaryIO, int | None]:
    if file == "-":
        return sys.stdin.buffer, None
    try:
        path = Path(file)
        return stack.enter_context(path.open("rb")), path.stat().st_size
    except OSError as error:
        raise Problem(
            f"{file} can't be read: {error.strerror}", advice="give a file of one event a line"
        ) from error


def _report(tally: Tally) -> None:
    output.console.print(f"{tally.accepted:,} accepted, {len(tally.refused):,} refused")
    tally.refused.sort(key=lambda item: item.line)
    for item in tally.refused[:SHOWN]:
        output.errors.print(f"line {item.line}: {item.reason} [{item.code}]", markup=False)
    if len(tally.refused) > SHOWN:
        output.errors.print(f"… and {len(tally.refused) - SHOWN:,} more: --json lists them all")
    if tally.refused:
        output.errors.print(
            "next: correct these lines and send the file again; accepted ones are not applied twice"
            " where they carry an id"
        )
