"""`livesegments members ID`: who is in a segment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Annotated, Any, Literal

import typer

from livesegments.cli import output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import Pages
from livesegments.client import members as api

FIRST = 100
PAGE = 1_000


@verb()
def members(
    call: Call,
    segment: Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")],
    everyone: Annotated[bool, typer.Option("--all", help="Every member, not only the first 100.")] = False,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="T", help="Who fulfilled its present definition at this instant."),
    ] = None,
    served: Annotated[
        bool, typer.Option("--served", help="With --as-of: the definition that it had at the instant.")
    ] = False,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="With --as-of: its definition number N.")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            metavar="NAME",
            help="Also the value of this attribute, or of `computed:ID`; may be repeated.",
        ),
    ] = None,
) -> None:
    """The profiles that are in a segment now, or were at an instant, one a line."""
    if field and as_of is not None:
        raise Problem("--field is of members now, not of those at --as-of", advice="give one of the two")
    client = call.client
    limit = PAGE if everyone else FIRST + 1
    request: Pages[Any, str] = api.page(segment, fields=field or (), limit=limit)
    if as_of is not None:
        definition: Literal["served", "present"] = "served" if served else "present"
        request = api.then(segment, as_of, definition=definition, version=version, limit=limit)
    warnings, found = client.warned(request, "fields" if field else "members")
    output.warnings(warnings)
    first = next(found, None)
    if first is None:
        output.say(_nobody(segment, as_of))
        return
    found = chain((first,), found)
    given: Iterator[Any] = found if everyone else islice(found, FIRST)
    if field and not call.as_json:
        _tables(list(dict.fromkeys(field)), given)
    for profile in given:
        if field:
            output.json(profile)
        elif call.as_json:
            output.json({"profile": profile})
        else:
            output.console.print(profile, markup=False, soft_wrap=True)
    if not everyone and next(found, None) is not None:
        output.errors.print(f"the first {FIRST} only: --all for every member", style="dim")


def _tables(names: list[str], given: Iterator[dict[str, Any]]) -> None:
    """One for every page, so that no more is held at once."""
    while rows := list(islice(given, PAGE)):
        cells = [(each["profile"], *(each["fields"].get(name) for name in names)) for each in rows]
        output.table("", ("profile", *names), cells)


def _nobody(segment: str, as_of: str | None) -> str:
    if as_of is not None:
        return f"nobody fulfilled {segment}'s definition at {as_of}"
    return f"nobody is in {segment}: `livesegments explain {segment} PROFILE` says why a profile is not in it"
