"""`livesegments sources …`: lists that are kept equal to databases and files of others."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from msgspec import UNSET

from livesegments.cli import output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import sources

LOOK_S = 0.2

app = typer.Typer(help="Keep lists equal to databases and files of others.", no_args_is_help=True)
Segment = Annotated[str, typer.Argument(metavar="SEGMENT", help="The id of a static segment.")]


@app.command("list")
@verb()
def list_(call: Call) -> None:
    """All of them, and how their last runs went."""
    found = call.client.ask(sources.every())["sources"]
    if call.tabled(found, "no list is kept equal to anything"):
        rows = [(each["segment"], _from(each), _every(each), *_last(each["last"])) for each in found]
        columns = ("segment", "from", "every", "last run", "added", "removed")
        output.table("", columns, rows, numbers=("added", "removed"))


@app.command("connections")
@verb()
def connections(call: Call) -> None:
    """What the deployment lets lists be read from."""
    found = call.client.ask(sources.connections())["connections"]
    if call.tabled(found, "there are none: see the setting LIVESEGMENTS_SOURCES"):
        output.table("", ("name", "kind"), [(each["name"], each["kind"]) for each in found])


@app.command("put")
@verb()
def put(
    call: Call,
    segment: Segment,
    connection: Annotated[str | None, typer.Option(help="A connection of the deployment's.")] = None,
    table: Annotated[str | None, typer.Option(help="Of a database: a table or a view.")] = None,
    query: Annotated[str | None, typer.Option(help="Of a database: one SELECT in place of a table.")] = None,
    url: Annotated[str | None, typer.Option(help="The address of a file: https://…")] = None,
    path: Annotated[str | None, typer.Option(help="A file of the folder that the api may read.")] = None,
    form: Annotated[str | None, typer.Option("--format", help="Of a file: csv or ndjson.")] = None,
    column: Annotated[str | None, typer.Option(help="Where the ids are; else the first column.")] = None,
    every_s: Annotated[
        int | None, typer.Option("--every", metavar="SECONDS", help="Read it so often; at least 60.")
    ] = None,
    most_gone: Annotated[
        float | None, typer.Option(help="A run that takes more than this share away is held; 0.5 by default.")
    ] = None,
) -> None:
    """Keep a list equal to a table, a query or a file."""
    given = {
        "connection": connection, "table": table, "query": query, "url": url, "path": path, "format": form,
        "column": column, "every_s": every_s, "most_gone": most_gone,
    }  # fmt: skip
    known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    now = call.client.ask(sources.write(segment, **known))
    if not call.printed(now):
        output.console.print(f"{segment} is kept equal to {_from(now)}, {_every(now)}", markup=False)


@app.command("show")
@verb()
def show(call: Call, segment: Segment) -> None:
    """One as it is now, as JSON."""
    output.json(call.client.ask(sources.read(segment)))


@app.command("run")
@verb()
def run(
    call: Call,
    segment: Segment,
    may_remove: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="So many members may go: for a run that was held.")
    ] = None,
) -> None:
    """Read it now, and wait for the end. The exit status is 1 where the run was held or failed."""
    now = call.client.ask(sources.run(segment, may_remove=UNSET if may_remove is None else may_remove))
    while now["now"] is not None:
        time.sleep(LOOK_S)
        now = call.client.ask(sources.read(segment))
    last = now["last"]
    printed = call.printed(last)
    if last["state"] != "done":
        advice = "nothing was changed"
        if last["state"] == "held":
            advice += f"; `--may-remove {last['gone']}` lets them go"
        raise Problem(f"the run was {last['state']}: {last['error']}", advice=advice)
    if not printed:
        odd = f", {last['odd']:,} of no profile" if last["odd"] else ""
        counts = f"{last['added']:,} added, {last['removed']:,} removed"
        output.console.print(f"{last['rows']:,} rows{odd}: {counts}", markup=False)


@app.command("delete")
@verb(json=False)
def delete(call: Call, segment: Segment) -> None:
    """The list stays as it is, and follows nothing any more."""
    call.client.ask(sources.delete(segment))


def _from(source: dict[str, Any]) -> str:
    if source["connection"]:
        what = source["table"] or ("a query" if source["query"] else "")
        return f"{source['connection']} ({what})" if what else str(source["connection"])
    return str(source["url"] or source["path"])


def _every(source: dict[str, Any]) -> str:
    return f"every {source['every_s']:,} s" if source["every_s"] else "when it is asked for"


def _last(last: dict[str, Any] | None) -> tuple[str, Any, Any]:
    if last is None:
        return "none yet", None, None
    return f"{last['state']} {last['ended_at']}", last["added"], last["removed"]
