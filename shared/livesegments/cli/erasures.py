"""`livesegments erasures …`: how far an erasure is, and letting a person in again."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import output
from livesegments.cli.erase import tell
from livesegments.cli.verb import Call, verb
from livesegments.client import erasures

app = typer.Typer(help="Show an erasure, or lift what keeps a person out.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The erasure's id, as `erase` printed it.")]


@app.command("show")
@verb()
def show(call: Call, erasure: IdArgument) -> None:
    """How far an erasure is."""
    tell(call.client.ask(erasures.read(erasure)), call.as_json)


@app.command("lift")
@verb()
def lift(call: Call, erasure: IdArgument) -> None:
    """Take later events of the person in again. What was erased stays erased."""
    call.client.ask(erasures.lift(erasure))
    if not call.printed({"lifted": erasure}):
        output.say(f"lifted {erasure}: events that come from now on count")
