"""`livesegments segments by-attribute`: one segment for every value of an attribute."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import by_attribute as api


@verb()
def by_attribute(
    call: Call,
    attribute: Annotated[str, typer.Argument(metavar="ATTRIBUTE", help="The attribute's name.")],
    name: Annotated[
        str | None, typer.Option(help="The segments' names, with `{value}` in them; else `ATTRIBUTE: VALUE`.")
    ] = None,
    folder: Annotated[str | None, typer.Option(help="The folder that they lie in.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of theirs; several are allowed.")] = None,
    create: Annotated[bool, typer.Option("--create", help="Make them; else they are only shown.")] = False,
) -> None:
    """Show the values of an attribute with their numbers of profiles; with --create, make a segment of each.

    Values that have a segment already keep it: repeated, the command makes segments of those that are new.
    """
    if not create:
        found = call.client.ask(api.preview(attribute))
        if call.tabled(found["values"], f"no profile has a value of '{attribute}'"):
            rows = [(output.shown(each["value"]), each["count"], each["segment"]) for each in found["values"]]
            output.table("", ("value", "profiles", "segment"), rows, numbers=("profiles",))
            if found["more"]:
                output.say("there are more: no segments can be made of so many values")
        return
    made = call.client.ask(api.create(attribute, name=name, folder=folder or "", tags=tag or ()))
    if not call.printed(*made["segments"]):
        for each in made["segments"]:
            output.console.print(f"created {each['id']} ({each['name']})", markup=False)
        output.say(f"{len(made['segments'])} created, {made['kept']} were there already")
