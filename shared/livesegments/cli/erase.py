"""`livesegments erase PROFILE`: a person goes from everything that is kept."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import erasures

LOOK_S = 0.2
STEPS = (("archive_at", "archive"), ("checkpoints_at", "checkpoints"), ("names_at", "names that were seen"))


@verb()
def erase(
    call: Call,
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's id.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant so.")] = False,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Rewrite the files now, not within the stated time.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until no file has anything of it (with --at-once).")
    ] = False,
) -> None:
    """Erase a person: profile, memberships, history. It can't be undone."""
    if wait and not at_once:
        raise Problem("--wait without --at-once may take an hour", advice="add --at-once")
    if not yes:
        typer.confirm(
            f"Erase everything that is kept of {profile}? It can't be undone.", abort=True, err=True
        )
    found = call.client.ask(erasures.create(profile, at_once=at_once))
    while wait and found["state"] != "done":
        time.sleep(LOOK_S)
        found = call.client.ask(erasures.read(found["id"]))
    tell(found, call.as_json)


def tell(found: dict[str, Any], as_json: bool) -> None:
    """An erasure as JSON, or in words."""
    if as_json:
        output.json(found)
        return
    rows = {"erasure": found["id"], "state": found["state"], "segments left": str(found["segments_left"])}
    rows |= {what: found[field] or "not yet" for field, what in STEPS}
    if found["state"] != "done" and found["due_at"]:
        rows["done at the latest"] = found["due_at"]
    output.fields(rows | {"later events": "dropped" if found["suppressed"] else "taken in"})
