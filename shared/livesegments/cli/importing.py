"""`livesegments import FILE`: profiles from a CSV file, with a dry run, and the refused rows as a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.client import Client
from livesegments.cli.problem import Problem
from livesegments.cli.profile import subject
from livesegments.cli.progress import BYTES, COUNT, bar
from livesegments.cli.verb import Call, verb
from livesegments.client import imports

PART_BYTES = 4 << 20
LOOK_S = 0.2
TRIES = 5
CONSENT = "#consent:"
TYPES = ("text", "number", "boolean", "date", "list", "point")


@verb()
def import_(
    call: Call,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV file; its first line names the columns.")
    ],
    id_column: Annotated[
        str | None, typer.Option("--id-column", metavar="COLUMN", help="The column with the profiles' ids.")
    ] = None,
    email_column: Annotated[
        str | None,
        typer.Option("--email-column", metavar="COLUMN", help="Its e-mail addresses are the ids."),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=ATTRIBUTE[:TYPE]",
            help="text, number, boolean, date, date(DD/MM/YYYY), list, point; COLUMN=#tags for tags; "
            "COLUMN=#consent:CHANNEL or COLUMN=#consent:CHANNEL/TOPIC for consents. Without any, all "
            "columns are taken under their own names, as what they look like.",
        ),
    ] = None,
    into: Annotated[
        str | None, typer.Option("--into", metavar="SEGMENT", help="Put them into this static segment, too.")
    ] = None,
    new_segment: Annotated[
        str | None, typer.Option("--new-segment", metavar="NAME", help="Put them into a new static segment.")
    ] = None,
    remove_empty: Annotated[
        bool, typer.Option("--remove-empty", help="An empty cell takes the attribute away.")
    ] = False,
    encoding: Annotated[str | None, typer.Option("--encoding", help="By default it is seen.")] = None,
    delimiter: Annotated[str | None, typer.Option("--delimiter", help="By default it is seen.")] = None,
    refused: Annotated[
        Path | None, typer.Option("--refused", metavar="FILE", help="Where the refused rows are written.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of it.")] = False,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="IMPORT", help="Go on with this import.")
    ] = None,
) -> None:
    """Take profiles from a CSV file; rows that can't be taken are told with their reasons."""
    client = call.client
    mapped = [_column(each) for each in maps or ()]
    if resume is None:
        _id_column(id_column, email_column)
        _has_something(file)
        given = {"file_name": file.name, "encoding": encoding, "delimiter": delimiter}
        made = client.ask(imports.create(**{name: each for name, each in given.items() if each is not None}))
    else:
        made = client.ask(imports.read(resume))
    own = made["id"]
    if made["state"] == "uploading":
        _send(client, made, file)
        try:
            plan = _plan(client, own, id_column, email_column, mapped)
            plan["empty"] = "remove" if remove_empty else "skip"
            if into is not None:
                plan["segment"] = into
            if dry_run:
                looked = client.ask(imports.check(own, **plan))
                client.ask(imports.cancel(own))
                if not call.printed(looked):
                    _tell(looked)
                return
            if new_segment is not None:
                plan["new_segment"] = new_segment
            made = client.ask(imports.start(own, **plan))
        except Problem:
            if resume is None:  # nobody else knows of it
                client.ask(imports.cancel(own))
            raise
    made = _done(client, own, made, file)
    if refused is not None and made["refused_file"]:
        _download(client, own, refused)
    if not call.printed(made):
        where = f" into {made['segment']}" if made["segment"] else ""
        output.say(
            f"{made['accepted']:,} of {made['total']:,} rows taken{where}, {made['refused']:,} refused"
        )
        if made["refused_file"] and refused is None:
            output.say(
                f"their reasons: livesegments import {file} --resume {made['id']} --refused refused.csv"
            )


def _has_something(file: Path) -> None:
    """Raises Problem where it can't be read, or is empty."""
    try:
        size = file.stat().st_size
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}", advice="name a CSV file") from error
    if not size:
        raise Problem(f"{file} is empty", advice="its first line has to name the columns")


def _send(client: Client, made: dict[str, Any], file: Path) -> None:
    """From where it had come; goes on by itself where it breaks off. Raises Problem."""
    try:
        with file.open("rb") as source, bar(BYTES()) as progress:
            size = file.stat().st_size
            task = progress.add_task("sending", total=size, completed=made["bytes"])
            at, left = made["bytes"], TRIES
            while True:
                source.seek(at)
                part = source.read(PART_BYTES)
                if not part and at:
                    return
                try:
                    answer = client.ask(imports.send(made["id"], part, offset=at))
                    at, left = answer["bytes"], TRIES
                except Problem as problem:
                    left -= 1
                    if (problem.status is not None and problem.status < 500) or not left:
                        again = f"livesegments import {file} … --resume {made['id']}"
                        output.errors.print(f"go on with: {again}", markup=False)
                        raise
                    time.sleep(LOOK_S)
                progress.update(task, completed=at)
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}", advice="name a CSV file") from error


def _plan(
    client: Client,
    own: str,
    id_column: str | None,
    email_column: str | None,
    columns: list[dict[str, Any]],
) -> dict[str, Any]:
    """Raises Problem where it names no id."""
    id_ = _id_column(id_column, email_column)
    if not columns:
        found = client.ask(imports.columns(own))["columns"]
        columns = [
            {"column": each["name"], "type": each["declared"] or each["type"]}
            for each in found
            if each["name"] and each["name"] != id_
        ]
    return {"id_column": id_, "by_email": email_column is not None, "columns": columns}


def _id_column(id_column: str | None, email_column: str | None) -> str:
    """Raises Problem where not just one is named."""
    if (id_column is None) == (email_column is None):
        raise Problem(
            "which column has the profiles' ids isn't said",
            advice="give --id-column COLUMN, or --email-column COLUMN",
        )
    return id_column or email_column or ""


def _column(text: str) -> dict[str, Any]:
    """`Since=since:date(DD/MM/YYYY)`. Raises Problem."""
    column, _, target = text.rpartition("=")
    if not column:
        column, target = text, text
    if target == "#tags":
        return {"column": column, "to": "tags"}
    if target.startswith(CONSENT):
        channel, _, topic = target.removeprefix(CONSENT).partition("/")
        pair = {"channel": channel, "topic": topic}
        return {"column": column, "to": "consent", **{part: name for part, name in pair.items() if name}}
    if target.startswith("#"):
        raise Problem(
            f"a column can't go to {target!r}",
            advice="give #tags, #consent:CHANNEL or #consent:CHANNEL/TOPIC",
        )
    attribute, _, type_ = target.rpartition(":")
    kind, _, form = type_.rstrip(")").partition("(")
    if not attribute:
        return {"column": column, "attribute": target}
    if kind not in TYPES:
        raise Problem(
            f"{text!r}: there is no type {kind!r}; types are {', '.join(TYPES)}",
            advice=f"correct it; an attribute whose name has a colon needs its type, too: {target}:text",
        )
    made = {"column": column, "attribute": attribute, "type": kind}
    return {**made, "format": form} if form else made


def _done(client: Client, own: str, made: dict[str, Any], file: Path) -> Any:
    """As it is once it has ended. Raises Problem where it failed."""
    try:
        with bar(COUNT()) as progress:
            task = progress.add_task("importing", total=None)
            while made["state"] in ("waiting", "running"):
                time.sleep(LOOK_S)
                made = client.ask(imports.read(own))
                progress.update(task, completed=made["done"], total=made["total"] or None)
    except KeyboardInterrupt:
        output.errors.print(
            f"it goes on; see it with: livesegments import {file} --resume {made['id']}", markup=False
        )
        raise
    if made["state"] == "failed":
        raise Problem(made["reason"], advice="resolve that first, then repeat")
    return made


def _download(client: Client, import_: str, target: Path) -> None:
    try:
        with target.open("wb") as out:
            for chunk in client.refused_rows(import_):
                out.write(chunk)
    except OSError as error:
        raise Problem(f"{target} can't be written: {error.strerror}", advice="name another") from error


def _tell(looked: dict[str, Any]) -> None:
    whole = "" if looked["whole"] else " (the first ones)"
    output.say(
        f"{looked['accepted']:,} of {looked['rows']:,} rows{whole} would be taken, "
        f"{looked['refused']:,} refused"
    )
    if looked["preview"]:
        output.table(
            "the first rows",
            ("profile", "attributes", "tags", "consent"),
            [
                (
                    each["profile"],
                    output.shown(each["attributes"]),
                    " ".join(each["tags"]),
                    ", ".join(f"{subject(of)} {of['state']}" for of in each["consent"]),
                )
                for each in looked["preview"]
            ],
        )
    if looked["faults"]:
        output.table(
            "refused",
            ("row", "column", "why"),
            [(str(each["row"]), each["column"], each["message"]) for each in looked["faults"]],
            numbers=("row",),
        )
