"""`livesegments rules …`: rules that keep a segment for every value of an attribute."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import segment_rules

app = typer.Typer(
    help="Keep a segment for every value of an attribute, also for those that come.", no_args_is_help=True
)
Id = Annotated[str, typer.Argument(metavar="ID", help="The rule's id.")]


@app.command("list")
@verb()
def list_(call: Call) -> None:
    """All rules, with their states and numbers."""
    found = call.client.ask(segment_rules.every())["rules"]
    if call.tabled(found, "there are no rules"):
        columns = ("id", "attribute", "state", "values", "segments", "without")
        rows = [tuple(each[column] for column in columns) for each in found]
        output.table("", columns, rows, numbers=("values", "segments", "without"))


@app.command("create")
@verb()
def create(
    call: Call,
    attribute: Annotated[str, typer.Argument(metavar="ATTRIBUTE", help="The attribute's name.")],
    id_: Annotated[str | None, typer.Option("--id", help="The rule's id; else one is made.")] = None,
    name: Annotated[
        str | None, typer.Option(help="The segments' names, with `{value}` in them; else `ATTRIBUTE: VALUE`.")
    ] = None,
    most: Annotated[int | None, typer.Option(help="Of so many values at most; at most 1,000.")] = None,
    folder: Annotated[str | None, typer.Option(help="The folder that they lie in.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of theirs; several are allowed.")] = None,
) -> None:
    """Make a segment of every value that an attribute has, and from now on of every value that comes."""
    options = {"new_id": id_, "name": name, "most": most, "folder": folder, "tags": tag}
    given: dict[str, Any] = {field: value for field, value in options.items() if value is not None}
    made = call.client.ask(segment_rules.create(attribute, **given))
    if not call.printed(made):
        output.console.print(
            f"created {made['id']}: {made['segments']} segments were made, {made['values']} values are known",
            markup=False,
        )


@app.command("show")
@verb()
def show(call: Call, id_: Id) -> None:
    """One rule as it is now, as JSON."""
    output.json(call.client.ask(segment_rules.read(id_)))


@app.command("pause")
@verb()
def pause(call: Call, id_: Id) -> None:
    """No segments are made until it is resumed."""
    _edit(call, id_, paused=True)


@app.command("resume")
@verb()
def resume(call: Call, id_: Id) -> None:
    """Go on: values that came meanwhile become segments, too."""
    _edit(call, id_, paused=False)


@app.command("limit")
@verb()
def limit(
    call: Call, id_: Id, most: Annotated[int, typer.Argument(metavar="NUMBER", help="At most 1,000.")]
) -> None:
    """Say of how many values it makes segments at most."""
    _edit(call, id_, most=most)


@app.command("delete")
@verb(json=False)
def delete(
    call: Call,
    id_: Id,
    segments: Annotated[
        bool, typer.Option("--segments", help="Delete the segments that it made, too. Without it they stay.")
    ] = False,
) -> None:
    """Delete a rule with its own segment."""
    call.client.ask(segment_rules.delete(id_, segments=segments))


def _edit(call: Call, id_: str, **fields: Any) -> None:
    now = call.client.ask(segment_rules.edit(id_, **fields))
    if not call.printed(now):
        output.console.print(f"{now['id']} is {now['state']}", markup=False)
