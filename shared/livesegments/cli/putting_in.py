"""`livesegments segments put-in`, `take-out`, `replace`: who is on the list of a static segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from livesegments.cli import output
from livesegments.cli.files import ids_of
from livesegments.cli.problem import Problem
from livesegments.cli.putting_aside import IdArgument
from livesegments.cli.verb import Call, verb
from livesegments.client import members
from livesegments.client.members import Accepted
from livesegments.client.request import Request

AT_ONCE = 1_000
ProfilesArgument = Annotated[list[str] | None, typer.Argument(metavar="PROFILE…", help="The profiles' ids.")]
FileOption = Annotated[
    Path | None, typer.Option("--file", "-f", metavar="FILE", help="More ids, one a line; `-`: from here.")
]


@verb()
def put_in(
    call: Call, segment: IdArgument, profiles: ProfilesArgument = None, file: FileOption = None
) -> None:
    """Put profiles on the list of a static segment; `livesegments import --into` takes a CSV file."""
    moved = _moved(call, members.add, segment, profiles, file)
    if not call.printed({"accepted": moved}):
        output.say(f"{moved:,} put on the list of {segment}")


@verb()
def take_out(
    call: Call, segment: IdArgument, profiles: ProfilesArgument = None, file: FileOption = None
) -> None:
    """Take profiles off the list of a static segment."""
    moved = _moved(call, members.remove, segment, profiles, file)
    if not call.printed({"accepted": moved}):
        output.say(f"{moved:,} taken off the list of {segment}")


@verb()
def replace(
    call: Call, segment: IdArgument, profiles: ProfilesArgument = None, file: FileOption = None
) -> None:
    """Make these, at most 1,000, all who are on the list of a static segment. Who is on it already stays."""
    ids = _ids(profiles, file)
    if not ids:
        empties = f"livesegments audience save {segment} --include {segment} --remove"
        raise Problem("nobody would be left on the list", advice=f"`{empties}` takes everybody off it")
    if len(ids) > AT_ONCE:
        by_job = f"livesegments audience save {segment} --include OTHER --replace"
        raise Problem(
            f"these are {len(ids):,} profiles; at most {AT_ONCE:,} can replace a list at once",
            advice=f"put them in another static segment, then `{by_job}`",
        )
    found = call.client.ask(members.replace(segment, ids))
    if not call.printed(found):
        output.say(f"{found['added']:,} put on the list of {segment}, {found['removed']:,} taken off it")


def _moved(
    call: Call,
    move: Callable[[str, Sequence[str]], Request[Accepted]],
    segment: str,
    profiles: list[str] | None,
    file: Path | None,
) -> int:
    """How many. Raises Problem."""
    ids = _ids(profiles, file)
    return sum(call.client.ask(move(segment, part))["accepted"] for part in _parts(ids))


def _ids(profiles: list[str] | None, file: Path | None) -> list[str]:
    """Each once. Raises Problem where nobody was named."""
    if not profiles and file is None:
        raise Problem("no profile is named", advice="give their ids, or --file FILE with an id a line")
    return list(dict.fromkeys([*(profiles or ()), *ids_of(file)]))


def _parts(ids: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(ids), AT_ONCE):
        yield ids[at : at + AT_ONCE]
