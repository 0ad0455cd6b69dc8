"""`livesegments members ID`: who is in a segment."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from livesegments.cli import context, output, paths
from livesegments.cli.client import Client

FIRST = 100
PAGE = 1_000


def members(
    segment: Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")],
    everyone: Annotated[bool, typer.Option("--all", help="Every member, not only the first 100.")] = False,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """The profiles that are in a segment now, one a line."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        found = client.pages(
            f"{paths.segment(segment)}/members", "members", limit=PAGE if everyone else FIRST + 1
        )
        for profile in found if everyone else islice(found, FIRST):
            if as_json:
                output.json({"profile": profile})
            else:
                output.console.print(profile, markup=False, soft_wrap=True)
        if not everyone and next(found, None) is not None:
            output.errors.print(f"the first {FIRST} only: --all for every member", style="dim")
