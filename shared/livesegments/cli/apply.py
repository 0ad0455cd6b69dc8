"""`livesegments apply DIR`: the workspace's segments are made what a folder's files say, after a look at the
plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from livesegments.cli import folder, output, planned
from livesegments.cli.problem import Problem
from livesegments.cli.pull import FolderArgument, everything
from livesegments.cli.verb import Call, verb

CHANGES = 3
"""The exit status of `--dry-run` where something would be done."""


@verb()
def apply(
    call: Call,
    directory: FolderArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant so.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the plan; exit status 3 where there is any.")
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete the segments that have no file. Without it they stay.")
    ] = False,
) -> None:
    """Make the workspace's segments what the files of a folder say: one segment a file, as `pull` writes
    them.

    First all files are checked, and the plan is shown: what would be created, changed and deleted, who would
    enter and leave. Then it asks. What is applied is just what was planned: where a segment was edited
    since, or others would move by it, it stops there. It can be repeated: what is so already is left as it
    is.
    """
    client = call.client
    wanted = folder.read(Path(directory))
    there = everything(client)
    found = planned.steps(client, wanted, there, delete)
    if not call.as_json:
        _show(found, wanted, there, delete)
    if dry_run or not found:
        call.printed(*(step.told for step in found))
        raise typer.Exit(CHANGES if found else 0)
    if not yes:
        typer.confirm(f"Apply {_counted(found)}?", abort=True, err=True)
    for done, step in enumerate(found):
        try:
            planned.apply(client, step)
        except Problem as problem:
            problem.message = f"{step.action} {step.id}: {problem.message}"
            if done:
                output.say(f"{done} of {len(found)} are applied; the others are not")
            raise
        finally:
            if step.applied:
                call.printed(step.told)
    if not call.as_json:
        output.console.print(f"applied: {_counted(found)}")


def _show(found: list[planned.Step], wanted: dict[str, Any], there: dict[str, Any], delete: bool) -> None:
    if found:
        columns = ("would", "id", "name", "enter", "leave")
        output.table("", columns, planned.in_words(found), numbers=("enter", "leave"))
    else:
        output.say("nothing to do: all is as the files say")
    left = sum(id_ not in wanted and each["state"] != "archived" for id_, each in there.items())
    if left and not delete:
        output.say(f"{left} segment(s) have no file; --delete would delete them")


def _counted(found: list[planned.Step]) -> str:
    kinds = (("create", "created"), ("change", "changed"), ("delete", "deleted"))
    counts = [(sum(step.action == kind for step in found), said) for kind, said in kinds]
    return ", ".join(f"{count} {said}" for count, said in counts if count)
