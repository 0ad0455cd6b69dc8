"""`livesegments was PROFILE SEGMENT --at T`: whether a profile was in a segment at an instant."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import context, output, paths, zone
from livesegments.cli.client import Client


def was(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's id.")],
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="The segment's id.")],
    at: Annotated[str, typer.Option("--at", metavar="T", help="The instant: `2025-12-24T18:00:00Z`.")],
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Whether a profile was in a segment at an instant, as it was announced then. The exit status is 0."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        query = {"profile": profile, "at": at}
        found = client.call("GET", f"{paths.segment(segment)}/was", params=query)
        if as_json:
            output.json(found)
            return
        local = zone.of(client)
    verb = "was" if found["in"] else "was not"
    told = f"{profile} {verb} in {segment} on {output.instant(found['at'], local)}"
    if found["since"] is not None:
        told += (
            f", since {output.instant(found['since'], local)} (version {found['version']}, {found['cause']})"
        )
    output.console.print(f"{told} ({local})", markup=False, soft_wrap=True)
