"""`livesegments export ID -o FILE`: a segment's members with chosen values, as a file."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterable
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from livesegments.cli import output, paths
from livesegments.cli.client import Client, problem_of, reaching
from livesegments.cli.problem import Problem
from livesegments.cli.progress import BYTES, COUNT, bar
from livesegments.cli.verb import Call, verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

LOOK_S = 0.2
TRIES = 5
"""At most this many times a download that breaks off goes on, without a byte more."""
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
    place = paths.exports(segment)
    if resume is None:
        body = {
            "format": form or _by_name(file),
            "fields": _named(fields),
            "include": _named(include),
            "entered_since": entered_since,
            "updated_since": updated_since,
        }
        made = call.client.call("POST", place, json=body)
    else:
        made = call.client.call("GET", paths.export(segment, resume))
    own = paths.export(segment, made["id"])
    with bar(COUNT()) as progress:
        task = progress.add_task(segment, total=None)
        while made["state"] in ("waiting", "running"):
            time.sleep(LOOK_S)
            made = call.client.call("GET", own)
            done = made["progress"]
            progress.update(task, completed=done["done"], total=done["total"] or None)
    if made["state"] == "failed":
        raise Problem(made["error"], advice="resolve that first, then repeat")
    if file == STDOUT:
        _download(call.client, made, sys.stdout.buffer, 0)
    else:
        _into(call.client, segment, made, Path(file))
    if made["building"]:
        names = ", ".join(f"computed:{each}" for each in made["building"])
        output.errors.print(f"some rows lack {names}: still given its history", style="yellow")
    if file != STDOUT and not call.printed(made):
        output.say(f"{file}: {made['rows']:,} members, {made['bytes']:,} bytes")


def _by_name(file: str) -> str:
    suffix = Path(file).suffix.removeprefix(".").lower()
    return {"jsonl": Form.NDJSON}.get(suffix, suffix if suffix in set(Form) else Form.CSV)


def _named(given: Iterable[str] | None) -> list[str]:
    """`a,"b,c"` are two names. Raises Problem."""
    try:
        return [name for row in csv.reader(given or (), strict=True) for name in row if name]
    except csv.Error as error:
        raise Problem(f"these names can't be read: {error}", advice='write them as a,"b,c"') from error


def _into(client: Client, segment: str, made: dict[str, Any], file: Path) -> None:
    """What is there of it already stays, if it is of this export. Raises Problem."""
    part = file.with_name(f"{file.name}.part")
    tag = file.with_name(f"{file.name}.part.export")
    try:
        known = tag.read_text() == made["id"] if tag.exists() else False
        tag.write_text(made["id"])
        with part.open("ab" if known else "wb") as target:
            _download(client, made, target, target.tell())
        part.replace(file)
        tag.unlink()
    except OSError as error:
        raise Problem(f"{file} can't be written: {error.strerror}", advice="name another with -o") from error
    except (Problem, KeyboardInterrupt):
        again = f"livesegments export {segment} -o {file} --resume {made['id']}"
        output.errors.print(f"go on with: {again}", markup=False)
        raise


def _download(client: Client, made: dict[str, Any], target: BinaryIO, there: int) -> None:
    """Goes on by itself where it breaks off. Raises Problem."""
    import httpx  # noqa: PLC0415

    left = TRIES
    with bar(BYTES()) as progress:
        task = progress.add_task("download", total=made["bytes"], completed=there)
        while there < made["bytes"]:
            begun = there
            try:
                with _asked(client, made, there) as answer:
                    for chunk in answer.iter_bytes():
                        target.write(chunk)
                        there += len(chunk)
                        progress.update(task, completed=there)
            except httpx.TransportError as error:
                left = TRIES if there > begun else left - 1
                if not left:
                    with reaching(client.url):
                        raise error
                time.sleep(LOOK_S)
    target.flush()


@contextmanager
def _asked(client: Client, made: dict[str, Any], there: int) -> Iterator[httpx.Response]:
    headers = {"Range": f"bytes={there}-"} if there else {}
    with client.http.stream("GET", made["file"], headers=headers) as answer:
        if answer.is_error:
            answer.read()
            raise problem_of(answer)
        yield answer
