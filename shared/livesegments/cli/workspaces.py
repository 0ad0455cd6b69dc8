"""`livesegments workspaces …`: list, create, show, edit workspaces, and the segments of all. Needs an admin
key."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from msgspec import UNSET
from rich.text import Text

from livesegments.cli import output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import across
from livesegments.client import workspaces as api

Sort = Literal["company", "name", "created", "updated", "size"]

app = typer.Typer(help="List, create, show and edit workspaces (with an admin key).", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The workspace's id.")]
ZoneOption = Annotated[
    str | None, typer.Option("--timezone", "-z", help="An IANA time zone, such as Europe/Berlin.")
]


@app.command("list")
@verb("admin")
def list_(call: Call) -> None:
    """Every workspace, the oldest first."""
    found = list(call.client.each(api.page()))
    if not call.tabled(found, "no workspaces yet: `livesegments workspaces create NAME` makes one"):
        return
    rows = [
        (each["id"], each["name"], each["timezone"], _created(each), "yes" if each.get("degraded") else "")
        for each in found
    ]
    output.table("", ("id", "name", "time zone", "created", "degraded"), rows)


@app.command("segments")
@verb("admin")
def segments(
    call: Call,
    search: Annotated[
        str, typer.Option("--search", "-s", help="Only with this text in id, name or description.")
    ] = "",
    workspace: Annotated[
        list[str] | None, typer.Option("--workspace", "-w", help="Only of this one; may be repeated.")
    ] = None,
    sort: Annotated[Sort, typer.Option(help="By what the list is sorted.")] = "company",
    desc: Annotated[bool, typer.Option("--desc", help="The other way round: newest, largest first.")] = False,
) -> None:
    """The segments of all workspaces."""
    order: Literal["asc", "desc"] = "desc" if desc else "asc"
    asked = across.segments(search=search, workspace=workspace, sort=sort, order=order)
    found = list(call.client.each(asked))
    if not call.tabled(found, "no segment fits"):
        return
    rows = [
        (each["workspace"], each["segment"]["id"], each["segment"]["name"], str(each["segment"]["count"]))
        for each in found
    ]
    output.table("", ("workspace", "id", "name", "members"), rows, numbers=("members",))


@app.command("create")
@verb("admin")
def create(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, for people.")],
    id: Annotated[
        str | None, typer.Option("--id", help="Its id; if none is given, the api chooses one.")
    ] = None,
    timezone: ZoneOption = None,
) -> None:
    """Create a workspace: a tenant, isolated from all others. Its time zone is UTC if none is given."""
    request = api.create(name, id=UNSET if id is None else id, timezone=timezone or "UTC")
    _tell("created", call.client.ask(request), call.as_json)


@app.command("show")
@verb("admin")
def show(call: Call, workspace: IdArgument) -> None:
    """One workspace: its name, its time zone and its quotas."""
    found = call.client.ask(api.read(workspace))
    if call.printed(found):
        return
    rows = {"id": found["id"], "name": found["name"], "time zone": found["timezone"]}
    output.fields(rows | {"created": _created(found), "quotas": _quotas(found)} | _degraded(found))


@app.command("edit")
@verb("admin")
def edit(
    call: Call,
    workspace: IdArgument,
    name: Annotated[str | None, typer.Option(help="The new name.")] = None,
    timezone: ZoneOption = None,
    events_per_s: Annotated[
        int | None,
        typer.Option(help="Quota of events a second; 0: as the services' settings have it.", min=0),
    ] = None,
    segments: Annotated[int | None, typer.Option(help="Quota of segments; 0: the same.", min=0)] = None,
    profiles: Annotated[int | None, typer.Option(help="Quota of profiles; 0: the same.", min=0)] = None,
    names: Annotated[int | None, typer.Option(help="Quota of events' names; 0: the same.", min=0)] = None,
    merge: Annotated[
        bool | None,
        typer.Option("--merge/--no-merge", help="Whether anonymous profiles are merged into known ones."),
    ] = None,
    history_days: Annotated[
        str | None,
        typer.Option(help="For how many days events are kept: a number, 0 (for ever) or `default`."),
    ] = None,
    week_start: Annotated[
        str | None, typer.Option(help="The first day of weeks in segments saved from now on: monday, sunday.")
    ] = None,
) -> None:
    """Change a workspace's name, time zone, quotas or retention, or whether it merges profiles.

    In a new time zone every segment is evaluated anew, over its whole history."""
    given = {"name": name, "timezone": timezone, "merge": merge, "week_start": week_start}
    body: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    most = {"events_per_s": events_per_s, "segments": segments, "profiles": profiles, "names": names}
    if history_days is not None:
        body["history_days"] = _days(history_days)
    quotas = {field: value or None for field, value in most.items() if value is not None}
    body |= {"quotas": quotas} if quotas else {}
    if not body:
        raise Problem(
            "nothing to change was given",
            advice="give --name, --timezone, --merge, --no-merge, --history-days, --week-start or a quota",
        )
    version = call.client.ask(api.read(workspace))["version"]
    _tell("edited", call.client.ask(api.edit(workspace, if_match=version, **body)), call.as_json)


def _days(text: str) -> int | None:
    if text == "default":
        return None
    if not text.isdecimal():
        raise Problem(f"--history-days: {text!r} is neither a number of days nor `default`")
    return int(text)


def _degraded(workspace: dict[str, Any]) -> dict[str, str]:
    """Events that a fault of ours kept from being evaluated, in words; empty where there are none."""
    found = workspace.get("degraded")
    if not found:
        return {}
    counts = {"events": found["events"], "due times": found["dues"], "definitions": found["definitions"]}
    said = [f"{count:,} {what} set aside" for what, count in counts.items() if count]
    said += [f"definitions can't be compiled: {found['plan']}"] if found["plan"] else []
    return {"degraded": "; ".join(said)}


def _quotas(workspace: dict[str, Any]) -> str:
    """The most that it may have, in words."""
    quotas = workspace["quotas"]
    rows = (("events/s", "events_per_s"), ("segments", "segments"), ("profiles", "profiles"))
    said = [f"{quotas[field]:,} {what}" for what, field in rows if quotas[field] is not None]
    return ", ".join([*said, f"{quotas['names']:,} names"])


def _created(workspace: dict[str, Any]) -> str:
    return output.named_instant(workspace["created_at"], ZoneInfo(workspace["timezone"]))


def _tell(what: str, workspace: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.json(workspace)
    else:
        line = f" ({workspace['name']}, {workspace['timezone']})"
        output.console.print(Text.assemble(f"{what} ", (workspace["id"], "bold"), line))
