"""`livesegments check PROFILE SEGMENT`: whether one profile is in a segment, since when and until when."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import members


@verb()
def check(
    call: Call,
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's id.")],
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="The segment's id.")],
) -> None:
    """Whether a profile is in a segment now. The exit status is 0 whether it is or not."""
    found = call.client.ask(members.read(segment, profile))
    if call.printed(found):
        return
    local = call.zone
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
