"""`livesegments value-lists …`: put, list, show and delete the lists that conditions name by reference."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from livesegments.cli import files, output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import value_lists

app = typer.Typer(help="Put, list, show and delete value lists.", no_args_is_help=True)

PATIENCE_S = 180.0
"""A list of a million values takes a while."""
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The list's id.")]


@app.command("put")
@verb()
def put(
    call: Call,
    value_list: IdArgument,
    file: Annotated[
        str,
        typer.Option("--file", "-f", help="`.json`: an array; `.ndjson`; `.csv`; else a text a line."),
    ],
    column: Annotated[str | None, typer.Option(help="The column of a CSV file with a header.")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="The list shall have no values at all.")] = False,
) -> None:
    """Make a list, or replace all its values: members of the segments that name it enter and leave by that.

    Of a CSV file the first column counts, or the one that --column names; its values are texts. JSON has
    texts and numbers. Standard input is `-`: one text a line.
    """
    values = _values(file, column)
    if not values and not empty:
        raise Problem(
            f"{files.named(file)} has no values, so the list would match nobody",
            advice="give a file with values, or --empty if that is meant",
        )
    request = value_lists.put_list(value_list, values)
    found = call.client.ask(msgspec.structs.replace(request, timeout_s=PATIENCE_S))
    if call.printed(found):
        return
    output.say(
        f"{found['id']} has {found['count']:,} values (version {found['version']}), "
        f"named by {found['used_by_count']:,} segments"
    )


@app.command("list")
@verb()
def list_(call: Call) -> None:
    """Every value list with its size."""
    found = call.client.ask(value_lists.read_all())["value_lists"]
    if not call.tabled(found, "no value lists yet: `livesegments value-lists put ID -f FILE` makes one"):
        return
    local = call.zone
    rows = [
        (each["id"], each["count"], each["used_by_count"], output.instant(each["updated_at"], local))
        for each in found
    ]
    output.table("", ("id", "values", "segments", f"updated ({local})"), rows, numbers=("values", "segments"))


@app.command("show")
@verb()
def show(call: Call, value_list: IdArgument) -> None:
    """All values of a list, one JSON value a line (with --json: what is known of the list instead)."""
    if call.as_json:
        output.json(call.client.ask(value_lists.read(value_list)))
        return
    for value in call.client.each(value_lists.values(value_list, limit=10_000)):
        output.json(value)


@app.command("delete")
@verb(json=False)
def delete(call: Call, value_list: IdArgument) -> None:
    """Delete a list; refused while segments name it."""
    call.client.ask(value_lists.delete_list(value_list))
    output.say(f"deleted {value_list}")


def _values(file: str, column: str | None) -> list[Any]:
    """Raises Problem."""
    kind = Path(file).suffix.lower()
    if kind == ".json":
        found = files.read(file)
        if not isinstance(found, list):
            raise Problem(f"{file} is no JSON array", advice='write it as ["a", "b"], then repeat')
        return found
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = data.removeprefix(files.BOM).decode()
        if kind in (".ndjson", ".jsonl"):
            return [msgspec.json.decode(line) for line in text.splitlines() if line.strip()]
        if kind == ".csv":
            return _column(list(csv.reader(io.StringIO(text))), column)
    except OSError as error:
        advice = "give the file of values with -f"
        raise Problem(f"{files.named(file)} can't be read: {error.strerror}", advice=advice) from error
    except UnicodeDecodeError as error:
        advice = "save it as UTF-8, then repeat"
        raise Problem(
            f"{files.named(file)} is no text in UTF-8, from byte {error.start} on", advice=advice
        ) from error
    except (ValueError, csv.Error) as error:
        raise Problem(f"{files.named(file)}: {error}", advice="correct it, then repeat") from error
    return [line for line in text.splitlines() if line.strip()]


def _column(rows: list[list[str]], column: str | None) -> list[str]:
    """Raises ValueError where no column has this name."""
    if column is None:
        return [row[0] for row in rows if row and row[0]]
    header = rows[0] if rows else []
    if column not in header:
        raise ValueError(f"has no column {column!r}; its columns are {', '.join(header)}")
    at = header.index(column)
    return [row[at] for row in rows[1:] if len(row) > at and row[at]]
