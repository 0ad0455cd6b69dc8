"""`livesegments mass …`: change, reset or delete many profiles, after their number was confirmed."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import msgspec
import typer

from livesegments.cli import output
from livesegments.cli.client import Client
from livesegments.cli.problem import Problem
from livesegments.cli.progress import COUNT, bar
from livesegments.cli.verb import Call, verb
from livesegments.client import mass_jobs

LOOK_S = 0.2

app = typer.Typer(help="Change, reset or delete many profiles at once.", no_args_is_help=True)

SegmentOption = Annotated[
    str | None, typer.Option("--segment", metavar="SEGMENT", help="All members of this segment.")
]
ProfilesOption = Annotated[
    list[str] | None, typer.Option("--profile", metavar="ID", help="This profile; may be repeated.")
]
ConfirmOption = Annotated[
    int | None,
    typer.Option("--confirm", metavar="N", help="Begin without asking if there are at most N profiles."),
]
IdArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]


@app.command("update")
@verb()
def update(
    call: Call,
    segment: SegmentOption = None,
    profile: ProfilesOption = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="An attribute; JSON, or a text as it is; `null` removes."
        ),
    ] = None,
    add_tag: Annotated[list[str] | None, typer.Option("--add-tag", metavar="TAG")] = None,
    remove_tag: Annotated[list[str] | None, typer.Option("--remove-tag", metavar="TAG")] = None,
    confirm: ConfirmOption = None,
) -> None:
    """Set attributes and tags."""
    asked: dict[str, Any] = {"action": "update", **_whom(segment, profile)}
    if sets:
        asked["attributes"] = dict(_pair(each) for each in sets)
    if add_tag or remove_tag:
        asked["tags"] = {"add": add_tag or [], "remove": remove_tag or []}
    _begin(call, asked, "changed", confirm)


@app.command("reset-score")
@verb()
def reset_score(
    call: Call,
    reason: Annotated[str, typer.Option("--reason", help="It is in every profile's timeline.")],
    segment: SegmentOption = None,
    profile: ProfilesOption = None,
    confirm: ConfirmOption = None,
) -> None:
    """Set the score to 0."""
    asked = {"action": "reset_score", "reason": reason, **_whom(segment, profile)}
    _begin(call, asked, "set to the score 0", confirm)


@app.command("delete")
@verb()
def delete(
    call: Call,
    segment: SegmentOption = None,
    profile: ProfilesOption = None,
    keep_out: Annotated[bool, typer.Option("--keep-out", help="Drop later events of them, too.")] = False,
    confirm: ConfirmOption = None,
) -> None:
    """Erase the profiles, with their history."""
    asked: dict[str, Any] = {"action": "delete", **_whom(segment, profile)}
    if keep_out:
        asked["keep_out"] = True
    _begin(call, asked, "deleted for ever", confirm)


@app.command("list")
@verb()
def list_jobs(call: Call) -> None:
    """Jobs that are under way, and those that ended lately."""
    found = call.client.ask(mass_jobs.read_all())["jobs"]
    if call.tabled(found, "there are none of the last day"):
        output.table(
            "",
            ("id", "action", "state", "done", "of"),
            [
                (each["id"], each["action"], each["state"], str(each["done"]), str(each["total"]))
                for each in found
            ],
            numbers=("done", "of"),
        )


@app.command("show")
@verb()
def show(call: Call, job: IdArgument) -> None:
    """How far a job is."""
    found = call.client.ask(mass_jobs.read(job))
    if not call.printed(found):
        output.fields({name: found[name] for name in ("action", "state", "reason", "done", "total")})


@app.command("cancel")
@verb()
def cancel(call: Call, job: IdArgument) -> None:
    """End a job before its time. What it has changed stays changed."""
    call.client.ask(mass_jobs.cancel(job))
    if not call.printed({"cancelled": job}):
        output.say(f"cancelled {job}")


def _whom(segment: str | None, profiles: list[str] | None) -> dict[str, Any]:
    """Raises Problem where it is nobody, or both."""
    if (segment is None) == (not profiles):
        raise Problem("whom it is about isn't said", advice="give --segment SEGMENT, or --profile ID")
    return {"profiles": profiles} if profiles else {"audience": {"include": [segment]}}


def _pair(text: str) -> tuple[str, Any]:
    """`age=42`. Raises Problem."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise Problem(f"{text!r} is no attribute with a value", advice="write it as NAME=VALUE")
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return name, value


def _begin(call: Call, asked: dict[str, Any], what: str, confirm: int | None) -> None:
    counted = call.client.ask(mass_jobs.count(**asked))
    count = counted["count"]
    if confirm is None:
        _ask(count, what)
    elif count > confirm:
        raise Problem(
            f"there are {output.count(count, 'profile')}, more than {confirm:,}",
            advice=f"give --confirm {count} if that is meant",
        )
    job = call.client.ask(mass_jobs.begin(**asked, confirm=counted["confirm"]))
    job = _ended(call.client, job)
    if not call.printed(job):
        are = "is" if job["done"] == 1 else "are"
        output.say(f"{output.count(job['done'], 'profile')} {are} {what}")


def _ask(count: int, what: str) -> None:
    """Raises Problem where nobody is there to be asked; ends the command where the answer is another
    number."""
    if not sys.stdin.isatty():
        raise Problem(
            f"{output.count(count, 'profile')} would be {what}", advice=f"give --confirm {count} to begin"
        )
    said = typer.prompt(
        f"{output.count(count, 'profile')} will be {what}. Type their number to go on", default="", err=True
    )
    if said.replace(",", "").strip() != str(count):
        output.say("nothing was done")
        raise typer.Exit(1)


def _ended(client: Client, job: dict[str, Any]) -> Any:
    """Raises Problem where it failed."""
    try:
        with bar(COUNT()) as progress:
            task = progress.add_task(job["action"], total=job["total"])
            while job["state"] in ("waiting", "running"):
                time.sleep(LOOK_S)
                job = client.ask(mass_jobs.read(job["id"]))
                progress.update(task, completed=job["done"])
    except KeyboardInterrupt:
        output.errors.print(f"it goes on; end it with: livesegments mass cancel {job['id']}", markup=False)
        raise
    if job["state"] == "failed":
        raise Problem(job["reason"], advice="resolve that first, then repeat")
    return job
