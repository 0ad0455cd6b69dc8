"""`livesegments export ID -o FILE`: a segment's members with chosen values, as a file."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from livesegments.cli import output
from livesegments.cli.client import Client
from livesegments.cli.problem import Problem
from livesegments.cli.progress import BYTES, COUNT, bar
from livesegments.cli.verb import Call, verb
from livesegments.client import exports

LOOK_S = 0.2
STDOUT = "-"


class Form(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


@verb()
def export(
    call: Call,
    segment: Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")],
    file: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="The file to write; `-`: standard output.")
    ],
    form: Annotated[
        Form | None, typer.Option("--format", help="By default what FILE ends with, else csv.")
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option("--fields", metavar="A,B", help="Attributes, or `computed:ID`: a column each."),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(
            "--include",
            metavar="A,B",
            help="Of entered_at, valid_until, updated_at, tags, consent, groups: a column each.",
        ),
    ] = None,
    entered_since: Annotated[
        str | None, typer.Option("--entered-since", metavar="T", help="Only who entered then or later.")
    ] = None,
    updated_since: Annotated[
        str | None, typer.Option("--updated-since", metavar="T", help="Only who changed then or later.")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option("--resume", metavar="EXPORT", help="Go on with the download of this export."),
    ] = None,
) -> None:
    """Write a segment's members with chosen values into a file."""
    if resume is None:
        request = exports.create(
            segment,
            format=(form or _by_name(file)).value,
            fields=_named(fields),
            include=_named(include),  # type: ignore[arg-type]  # the api says which there are
            entered_since=entered_since,
            updated_since=updated_since,
        )
    else:
        request = exports.read(segment, resume)
    made = call.client.ask(request)
    with bar(COUNT()) as progress:
        task = progress.add_task(segment, total=None)
        while made["state"] in ("waiting", "running"):
            time.sleep(LOOK_S)
            made = call.client.ask(exports.read(segment, made["id"]))
            done = made["progress"]
            progress.update(task, completed=done["done"], total=done["total"] or None)
    if made["state"] == "failed":
        raise Problem(made["error"], advice="resolve that first, then repeat")
    if file == STDOUT:
        _download(call.client, made, sys.stdout.buffer, None)
    else:
        _into(call.client, segment, made, Path(file))
    if made["building"]:
        names = ", ".join(f"computed:{each}" for each in made["building"])
        output.errors.print(f"some rows lack {names}: still given its history", style="yellow")
    if file != STDOUT and not call.printed(made):
        output.say(f"{file}: {made['rows']:,} members, {made['bytes']:,} bytes")


def _by_name(file: str) -> Form:
    suffix = Path(file).suffix.removeprefix(".").lower()
    return {"jsonl": Form.NDJSON, **{each.value: each for each in Form}}.get(suffix, Form.CSV)


def _named(given: Iterable[str] | None) -> list[str]:
    """`a,"b,c"` are two names. Raises Problem."""
    try:
        return [name for row in csv.reader(given or (), strict=True) for name in row if name]
    except csv.Error as error:
        raise Problem(f"these names can't be read: {error}", advice='write them as a,"b,c"') from error


def _into(client: Client, segment: str, made: dict[str, Any], file: Path) -> None:
    """What is there of it already stays, if it is of this export's file. Raises Problem."""
    part = file.with_name(f"{file.name}.part")
    tag = file.with_name(f"{file.name}.part.export")
    try:
        known = tag.read_text() if tag.exists() else ""
        same = made["id"] in known
        with part.open("ab" if same else "wb") as target:
            _download(client, made, target, known if same else None, tag.write_text)
        part.replace(file)
        tag.unlink(missing_ok=True)  # of an empty file nothing was read
    except OSError as error:
        raise Problem(f"{file} can't be written: {error.strerror}", advice="name another with -o") from error
    except (Problem, KeyboardInterrupt):
        again = f"livesegments export {segment} -o {file} --resume {made['id']}"
        output.errors.print(f"go on with: {again}", markup=False)
        raise


def _download(
    client: Client,
    made: dict[str, Any],
    target: BinaryIO,
    tag: str | None,
    opened: Callable[[str], Any] | None = None,
) -> None:
    """Behind what `target` has of the file with this `tag` already. Raises Problem."""
    there = 0 if tag is None else target.tell()
    with bar(BYTES()) as progress:
        task = progress.add_task("download", total=made["bytes"], completed=there)
        if there < made["bytes"]:
            for chunk in client.download(made["segment"], made["id"], at=there, tag=tag, opened=opened):
                target.write(chunk)
                progress.advance(task, len(chunk))
    target.flush()
