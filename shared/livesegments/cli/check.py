"""`livesegments check PROFILE SEGMENT`: whether one profile is in a segment, since when and until when."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from livesegments.cli import context, output, paths, zone
from livesegments.cli.client import Client


def check(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's id.")],
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="The segment's id.")],
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Whether a profile is in a segment now. The exit status is 0 whether it is or not."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        found = client.call("GET", paths.membership(segment, profile))
        if as_json:
            output.json(found)
            return
        local = zone.of(client)
    output.console.print(Text(f"{profile} {sentence(found, segment, local)}"), soft_wrap=True)


def sentence(found: dict[str, Any], segment: str, local: Any) -> str:
    """The api's answer, in words."""
    until, since = found["valid_until"], found["entered_at"]
    if not found["in"]:
        change = (
            f"; by the clock alone it enters on {output.instant(until, local)} ({local})" if until else ""
        )
        return f"is not in {segment}{change}"
    told = f"is in {segment} since {output.instant(since, local)}"
    return f"{told}, until {output.instant(until, local)} at most ({local})" if until else f"{told} ({local})"
