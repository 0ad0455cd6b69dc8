"""`livesegments list-jobs …`: audiences that are being saved as lists, in the background."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import list_jobs

app = typer.Typer(help="See and cancel jobs that save audiences as lists.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, as `list` shows it.")]
NAMED, COUNTED = ("id", "segment", "how", "state"), ("done", "total", "added", "removed")


@app.command("list")
@verb()
def list_(call: Call) -> None:
    """Jobs that are under way, and those that ended lately; `livesegments audience save` begins one."""
    found = call.client.ask(list_jobs.read_all())["jobs"]
    if call.tabled(found, "there are none of the last day"):
        columns = (*NAMED, *COUNTED)
        output.table("", columns, [[each[name] for name in columns] for each in found], numbers=COUNTED)


@app.command("show")
@verb()
def show(call: Call, job: IdArgument) -> None:
    """How far a job is, and why it waits or failed."""
    found = call.client.ask(list_jobs.read(job))
    if not call.printed(found):
        output.fields({name: found[name] for name in (*NAMED[1:], "reason", *COUNTED)})


@app.command("cancel")
@verb()
def cancel(call: Call, job: IdArgument) -> None:
    """End a job before its time. Who was put on the list or taken off it stays so."""
    call.client.ask(list_jobs.cancel(job))
    if not call.printed({"cancelled": job}):
        output.say(f"cancelled {job}")
