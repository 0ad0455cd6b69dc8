"""`livesegments count ID`: how many profiles are in a segment."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import context, output, paths
from livesegments.cli.client import Client


def count(
    segment: Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")],
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """How many profiles are in a segment now: a number alone."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        found = client.call("GET", f"{paths.segment(segment)}/count")
    if as_json:
        output.json(found)
    else:
        output.console.print(found["count"])
