"""`livesegments segments put-in`, `take-out`: profiles on and off the list of a static segment."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import output
from livesegments.cli.putting_aside import IdArgument
from livesegments.cli.verb import Call, verb
from livesegments.client import members

ProfilesArgument = Annotated[
    list[str], typer.Argument(metavar="PROFILE…", help="The profiles' ids, at most 1,000.")
]


@verb()
def put_in(call: Call, segment: IdArgument, profiles: ProfilesArgument) -> None:
    """Put profiles on the list of a static segment; `livesegments import --into` takes those of a file."""
    found = call.client.ask(members.add(segment, profiles))
    if not call.printed(found):
        output.say(f"{found['accepted']:,} put on the list of {segment}")


@verb()
def take_out(call: Call, segment: IdArgument, profiles: ProfilesArgument) -> None:
    """Take profiles off the list of a static segment."""
    found = call.client.ask(members.remove(segment, profiles))
    if not call.printed(found):
        output.say(f"{found['accepted']:,} taken off the list of {segment}")
