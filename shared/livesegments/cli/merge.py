"""`livesegments merge PROFILE INTO`: two profiles of one person become one."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import profiles


@verb()
def merge(
    call: Call,
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The id of the profile that goes.")],
    into: Annotated[str, typer.Argument(metavar="INTO", help="The id of the profile that stays.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant so.")] = False,
) -> None:
    """Let a profile go into another: what it has done counts for that one. It can't be undone."""
    if profile == into:
        raise Problem(f"{profile} can't go into itself", advice="give the ids of two profiles")
    if not yes:
        typer.confirm(f"Merge {profile} into {into}? It can't be undone.", abort=True, err=True)
    made = call.client.ask(profiles.merge(profile, into))
    if not call.printed(made):
        output.say(f"{made['profile']} goes into {made['into']}: `livesegments settle` waits until it has")
