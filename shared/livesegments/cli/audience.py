"""`livesegments audience …`: whom a send reaches, said with options or in a JSON file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from inspect import Parameter, signature
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from livesegments.cli import output
from livesegments.cli.client import Client
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb

FIRST = 100
PAGE = 10_000
PATH = "/v1/audiences"

app = typer.Typer(help="Count, list, split and freeze audiences.", no_args_is_help=True)

FieldsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--field", metavar="NAME", help="Also this attribute's value, or `computed:ID`'s; repeatable."
    ),
]
EveryoneOption = Annotated[bool, typer.Option("--all", help="Every member, not only the first 100.")]


def _audience(
    include: Annotated[
        list[str] | None, typer.Option("--include", "-i", metavar="ID", help="In any of these segments.")
    ] = None,
    all_of: Annotated[
        bool, typer.Option("--match-all", help="In all segments of --include, not in any of them.")
    ] = False,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", "-x", metavar="ID", help="In none of these segments.")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Consented to this channel.")] = None,
    topic: Annotated[str | None, typer.Option(help="Consented to this topic.")] = None,
    consent: Annotated[str, typer.Option(help="opted_in, not_opted_out or any.")] = "opted_in",
    bucket: Annotated[
        str | None, typer.Option(metavar="SALT:FROM-TO", help="A stable share: `spring:0-50`.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The audience as JSON, instead of all these.")
    ] = None,
) -> dict[str, Any]:
    """The audience as the api has it. Raises Problem where it includes nothing."""
    if file is not None:
        try:
            found = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.MsgspecError) as error:
            raise Problem(f"{file} is no audience: {error}", advice="give a JSON object") from error
        return found
    if not include:
        raise Problem("the audience includes no segment", advice="give --include SEGMENT, or --file")
    made: dict[str, Any] = {"include": include, "exclude": exclude or [], "match": "all" if all_of else "any"}
    if channel or topic:
        pair = {"channel": channel, "topic": topic}
        made["consent"] = {key: value for key, value in pair.items() if value} | {"state": consent}
    if bucket is not None:
        made["bucket"] = _share(bucket)
    return made


def of_audience(function: Callable[..., None]) -> Callable[..., None]:
    """Gives a verb the options of an audience before its own, and the audience after the call."""
    options = signature(_audience, eval_str=True).parameters
    call, _, *own = signature(function, eval_str=True).parameters.values()

    @wraps(function)
    def asked(call: Call, **given: Any) -> None:
        function(call, _audience(**{name: given.pop(name) for name in options}), **given)

    parameters = [call, *options.values(), *own]
    keywords = [each.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) for each in parameters]
    asked.__signature__ = signature(function).replace(parameters=keywords)  # type: ignore[attr-defined]
    return asked


@app.command("count")
@verb()
@of_audience
def count(call: Call, audience: dict[str, Any]) -> None:
    """How many profiles are in an audience, and how a send of this size is best made."""
    found = call.client.call("POST", f"{PATH}/count", json={"audience": audience})
    if call.printed(found):
        return
    output.warnings(found["warnings"])
    size, parts = found["advice"]["size"], found["advice"]["parts"]
    output.console.print(f"{found['count']:,}", markup=False)
    output.say(f"better split into {parts} parts" if size == "split" else f"a {size} send")


@app.command("members")
@verb()
@of_audience
def members(
    call: Call, audience: dict[str, Any], everyone: EveryoneOption = False, field: FieldsOption = None
) -> None:
    """The profiles that are in an audience now, one a line."""
    names = list(dict.fromkeys(field or []))
    given = printed(
        call, _posted(call.client, audience, PAGE if everyone else FIRST + 1, names), names, everyone
    )
    if not given:
        output.say("nobody is in this audience")


@app.command("split")
@verb()
@of_audience
def split(
    call: Call,
    audience: dict[str, Any],
    parts: Annotated[int | None, typer.Option("--parts", min=1, help="How many; else as advised.")] = None,
) -> None:
    """The stable parts of an audience with their counts; with --json each one as an audience for --file."""
    body = {"audience": audience} | ({} if parts is None else {"parts": parts})
    found = call.client.call("POST", f"{PATH}/split", json=body)
    if call.printed(*found["parts"]):
        return
    rows = [(number, each["count"]) for number, each in enumerate(found["parts"], 1)]
    output.table("", ("part", "profiles"), rows, numbers=("part", "profiles"))


def printed(call: Call, found: Iterator[dict[str, Any]], names: list[str], everyone: bool) -> bool:
    """Members of pages, as lines, as JSON or with their values as tables; whether there was anybody."""
    first = next(found, None)
    if first is None:
        return False
    found = chain((first,), found)
    given: Iterator[dict[str, Any]] = found if everyone else islice(found, FIRST)
    if call.as_json:
        for each in given:
            output.json(each)
    elif names:
        while rows := list(islice(given, PAGE)):
            cells = [(each["profile"], *(each["fields"].get(name) for name in names)) for each in rows]
            output.table("", ("profile", *names), cells)
    else:
        for each in given:
            output.console.print(each["profile"], markup=False, soft_wrap=True)
    if not everyone and next(found, None) is not None:
        output.errors.print(f"the first {FIRST} only: --all for every member", style="dim")
    return True


def of_page(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Its members, with their values where these were asked for."""
    yield from page["fields"] if "fields" in page else ({"profile": id_} for id_ in page["members"])


def _posted(
    client: Client, audience: dict[str, Any], limit: int, names: list[str]
) -> Iterator[dict[str, Any]]:
    body: dict[str, Any] = {"audience": audience, "limit": limit, "fields": names}
    while True:
        page = client.call("POST", f"{PATH}/members", json=body)
        output.warnings(page["warnings"])
        yield from of_page(page)
        if page["next_cursor"] is None:
            return
        body["cursor"] = page["next_cursor"]


def _share(text: str) -> dict[str, Any]:
    salt, _, span = text.rpartition(":")
    first, _, last = span.partition("-")
    try:
        return {"salt": salt, "from": float(first), "to": float(last)}
    except ValueError as error:
        raise Problem(f"'{text}' is no bucket", advice="give SALT:FROM-TO, as `spring:0-50`") from error
