"""`livesegments erasures …`: how far an erasure is, and letting a person in again."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import context, output, paths
from livesegments.cli.client import Client
from livesegments.cli.erase import tell

app = typer.Typer(help="Show an erasure, or lift what keeps a person out.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The erasure's id, as `erase` printed it.")]


@app.command("show")
def show(
    erasure: IdArgument,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """How far an erasure is."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        tell(client.call("GET", paths.erasure(erasure)), as_json)


@app.command("lift")
def lift(
    erasure: IdArgument,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Take later events of the person in again. What was erased stays erased."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        client.call("DELETE", paths.erasure(erasure))
    if as_json:
        output.json({"lifted": erasure})
    else:
        output.say(f"lifted {erasure}: events that come from now on count")
