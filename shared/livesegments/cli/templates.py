"""`livesegments templates …`: smart segments, of which segments are made with parameters."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from livesegments.cli import building, output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import templates as api

app = typer.Typer(help="List ready-made segments, and make segments of them.", no_args_is_help=True)


@app.command("list")
@verb()
def list_(call: Call) -> None:
    """Every ready-made segment, with its parameters and their defaults."""
    found = call.client.ask(api.read_all())["templates"]
    if call.tabled(found, "there are none"):
        rows = [(each["id"], each["description"], _parameters(each)) for each in found]
        output.table("", ("id", "who is in it", "parameters"), rows)


@app.command("create")
@verb()
def create(
    call: Call,
    template: Annotated[
        str, typer.Argument(metavar="TEMPLATE", help="Its id, as `templates list` shows it.")
    ],
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter: `within=60d`. May be given several times.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The segment's name; else that of the template.")] = None,
    id_: Annotated[str | None, typer.Option("--id", help="The segment's id; else one is made.")] = None,
    wait: building.WaitOption = False,
) -> None:
    """Make a segment of a ready-made one. Afterwards it is a segment like any other."""
    fields = {"name": name, "new_id": id_}
    given = {field: value for field, value in fields.items() if value is not None}
    parameters = dict(_parameter(each) for each in values or ())
    made = call.client.ask(api.create(template, parameters=parameters, **given))
    if not call.printed(made):
        output.console.print(Text.assemble("created ", (made["id"], "bold"), f" ({made['name']})"))
        output.warnings(made["warnings"])
    if wait:
        (ready,) = building.until_ready(call.client, [made["id"]])
        output.say(f"{ready['id']} is ready: {ready['count']:,} members")


def _parameters(template: dict[str, Any]) -> str:
    return ", ".join(f"{each['name']}={each['default']}" for each in template["parameters"])


def _parameter(text: str) -> tuple[str, Any]:
    """A number where it is one. Raises Problem."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Problem(f"'{text}' is no parameter", advice="give it as NAME=VALUE: --set within=60d")
    try:
        number = msgspec.json.decode(value, type=int | float)
    except msgspec.MsgspecError:
        return name, value
    return name, number
