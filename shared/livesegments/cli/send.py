"""`livesegments send FILE.ndjson`: lines of Segment's form or our own, mixed, through HTTP ingest."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import msgspec
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from livesegments.cli import context, output
from livesegments.cli.lines import lines
from livesegments.cli.problem import Problem
from livesegments.cli.sender import MAX_BATCH_BYTES, Item, Refused, Sender
from livesegments.wire.unreadable import CAUSES

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
        try:
            asyncio.run(_send(source, target, tally))
        finally:  # also if it fails half way: acknowledged events stay acknowledged
            progress.stop()
            if as_json:
                output.json({"accepted": tally.accepted, "refused": tally.refused, "partial": tally.partial})
            else:
                _report(tally)
    if tally.refused:
        raise typer.Exit(1)


class Tally:
    """What was accepted and refused so far, and the bar that shows it. `partial` are items among the
    accepted of which odd parts were refused."""

    def __init__(self, progress: Progress, size: int | None) -> None:
        self.accepted = 0
        self.refused: list[Refused] = []
        self.partial: list[Refused] = []
        self._progress = progress
        self._task = progress.add_task("send", total=size, counts="")

    def told(self, accepted: int, refused: list[Refused]) -> None:
        self.accepted += accepted
        for item in refused:
            (self.partial if item.partial else self.refused).append(item)
        self._progress.update(self._task, counts=self.counts(self.refused != []))

    def counts(self, also_none: bool) -> str:
        """`also_none`: it says `0 refused`, too."""
        in_part = f" ({len(self.partial):,} only in part)" if self.partial else ""
        refused = f", {len(self.refused):,} refused" if also_none else ""
        return f"{self.accepted:,} accepted{in_part}{refused}"

    def read(self, size: int) -> None:
        self._progress.advance(self._task, size)


async def _send(source: int, target: context.Target, tally: Tally) -> None:
    run = uuid4().hex
    async with Sender(target.url, target.key, tally.told) as sender:

        async def idle(more: asyncio.Future[None]) -> None:
            await sender.push()
            await sender.while_working(more)

        async for number, line in lines(source, MAX_BATCH_BYTES, idle, tally.read):
            item = item_of(number, line, run)
            if isinstance(item, Item):
                await sender.put(0, item)
            else:
                tally.told(0, [item])


def item_of(number: int, line: bytes, run: str) -> Item | Refused:
    """Tells the two forms apart. An event without an id gets one: those of a `run` sort like their lines,
    because events of one time are ordered by id."""
    if len(line) > MAX_BATCH_BYTES:
        return Refused(number, "too_long", f"is longer than {MAX_BATCH_BYTES} bytes")
    try:
        event: Any = msgspec.json.decode(line)
    except CAUSES as error:
        return Refused(number, "malformed", f"not JSON: {error}")
    if not isinstance(event, dict):
        return Refused(number, "malformed", "not a JSON object")
    segment = "type" in event
    id_field = "messageId" if segment else "id"
    if event.get(id_field) is None:
        # at its end, where it stands for one before that is null; all else stays as it was written
        added = b'"%s":"%s:%012d"}' % (id_field.encode(), run.encode(), number)
        line = line[:-1] + (b"," if event else b"") + added
    return Item("segment" if segment else "own", number, line)


def _opened(file: str, stack: ExitStack) -> tuple[int, int | None]:
    """A file descriptor, and how many bytes it has if that is known."""
    if file == "-":
        return sys.stdin.fileno(), None
    try:
        opened = stack.enter_context(Path(file).open("rb", buffering=0))  # noqa: SIM115
    except OSError as error:
        raise Problem(
            f"{file} can't be read: {error.strerror}", advice="give a file of one event a line"
        ) from error
    return opened.fileno(), os.fstat(opened.fileno()).st_size or None


def _report(tally: Tally) -> None:
    output.console.print(tally.counts(also_none=True))
    named = sorted((*tally.refused, *tally.partial), key=lambda item: item.line)
    for item in named[:SHOWN]:
        left_out = "accepted without its odd parts: " if item.partial else ""
        output.errors.print(f"line {item.line}: {left_out}{item.reason} [{item.code}]", markup=False)
    if len(named) > SHOWN:
        output.errors.print(f"… and {len(named) - SHOWN:,} more: --json lists them all")
    if tally.refused:
        output.errors.print(
            "next: correct these lines and send the file again; accepted ones are not applied twice"
            " where they carry an id"
        )
    elif tally.partial:
        output.errors.print("next: `livesegments rejected` shows the odd parts; send them again corrected")
