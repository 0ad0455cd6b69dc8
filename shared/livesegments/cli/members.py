"""`livesegments members ID`: who is in a segment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Annotated

import typer

from livesegments.cli import context, output, paths
from livesegments.cli.client import Client

FIRST = 100
PAGE = 1_000


def members(
    segment: Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")],
    everyone: Annotated[bool, typer.Option("--all", help="Every member, not only the first 100.")] = False,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="T", help="Who fulfilled its present definition at this instant."),
    ] = None,
    served: Annotated[
        bool, typer.Option("--served", help="With --as-of: the definition that it had at the instant.")
    ] = False,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="With --as-of: its definition number N.")
    ] = None,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """The profiles that are in a segment now, or were at an instant, one a line."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        limit = PAGE if everyone else FIRST + 1
        own = paths.segment(segment)
        if as_of is None:
            found: Iterator[str] = client.pages(f"{own}/members", "members", limit=limit)
        else:
            query = {"definition": "served"} if served else {}
            query |= {} if version is None else {"version": str(version)}
            warnings, found = client.warned_pages(f"{own}/as-of", "members", limit=limit, at=as_of, **query)
            output.warnings(warnings)
        first = next(found, None)
        if first is None:
            output.say(_nobody(segment, as_of))
            return
        found = chain((first,), found)
        for profile in found if everyone else islice(found, FIRST):
            if as_json:
                output.json({"profile": profile})
            else:
                output.console.print(profile, markup=False, soft_wrap=True)
        if not everyone and next(found, None) is not None:
            output.errors.print(f"the first {FIRST} only: --all for every member", style="dim")


def _nobody(segment: str, as_of: str | None) -> str:
    if as_of is not None:
        return f"nobody fulfilled {segment}'s definition at {as_of}"
    return f"nobody is in {segment}: `livesegments explain {segment} PROFILE` says why a profile is not in it"
