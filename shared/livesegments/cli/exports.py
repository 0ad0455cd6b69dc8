"""`livesegments exports …`: what `livesegments export` has made, as long as it is kept."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import exports as api

app = typer.Typer(help="List and delete exports that were made.", no_args_is_help=True)

SegmentArgument = Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")]


@app.command("list")
@verb()
def list_(call: Call, segment: SegmentArgument) -> None:
    """The exports of a segment, the newest first; `export ID -o FILE --resume EXPORT` reads one's file."""
    found = call.client.ask(api.read_all(segment))["exports"]
    if not call.tabled(found, f"none is kept: `livesegments export {segment} -o FILE` makes one"):
        return
    zone = call.zone
    rows = [
        (
            each["id"],
            each["state"],
            each["format"],
            each["rows"],
            each["bytes"],
            output.instant(each["kept_until"], zone),
        )
        for each in found
    ]
    columns = ("export", "state", "format", "members", "bytes", f"kept until ({zone})")
    output.table("", columns, rows, numbers=("members", "bytes"))


@app.command("delete")
@verb()
def delete(
    call: Call,
    segment: SegmentArgument,
    export: Annotated[str, typer.Argument(metavar="EXPORT", help="Its id.")],
) -> None:
    """Delete an export and its file; one that is under way ends."""
    call.client.ask(api.delete(segment, export))
    if not call.printed({"id": export}):
        output.say(f"deleted {export}")
