"""`livesegments audience …`: whom a send reaches, said with options or in a JSON file."""

from __future__ import annotations

import time
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
from livesegments.client import Pages, audiences, frozen, list_jobs

FIRST = 100
PAGE = 10_000
LOOK_S = 1.0

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
) -> dict[str, Any] | None:
    """The audience as the api has it; None where no segment is included."""
    if file is not None:
        try:
            found = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.MsgspecError) as error:
            raise Problem(f"{file} is no audience: {error}", advice="give a JSON object") from error
        return found
    if not include:
        return None
    made: dict[str, Any] = {"include": include, "exclude": exclude or [], "match": "all" if all_of else "any"}
    if channel or topic:
        pair = {"channel": channel, "topic": topic}
        made["consent"] = {key: value for key, value in pair.items() if value} | {"state": consent}
    if bucket is not None:
        made["bucket"] = _share(bucket)
    return made


def named(audience: dict[str, Any] | None) -> dict[str, Any]:
    """Raises Problem where there is none."""
    if audience is None:
        raise Problem("the audience includes no segment", advice="give --include SEGMENT, or --file")
    return audience


def of_audience(function: Callable[..., None]) -> Callable[..., None]:
    """Gives a verb the options of an audience before its own, and the audience after the call."""
    options = signature(_audience, eval_str=True).parameters
    call, _, *own = signature(function, eval_str=True).parameters.values()

    @wraps(function)
    def asked(call: Call, **given: Any) -> None:
        function(call, _audience(**{name: given.pop(name) for name in options}), **given)

    needed = [each for each in own if each.default is Parameter.empty]
    parameters = [call, *needed, *options.values(), *(each for each in own if each not in needed)]
    keywords = [each.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) for each in parameters]
    asked.__signature__ = signature(function).replace(parameters=keywords)  # type: ignore[attr-defined]
    return asked


@app.command("count")
@verb()
@of_audience
def count(call: Call, audience: dict[str, Any] | None) -> None:
    """How many profiles are in an audience, and how a send of this size is best made."""
    found = call.client.ask(audiences.count(named(audience)))
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
    call: Call,
    audience: dict[str, Any] | None,
    token: Annotated[str | None, typer.Option("--token", help="Of this frozen audience instead.")] = None,
    everyone: EveryoneOption = False,
    field: FieldsOption = None,
) -> None:
    """The profiles that are in an audience now, or in a frozen one, one a line."""
    names = list(dict.fromkeys(field or []))
    limit = PAGE if everyone else FIRST + 1
    if token is not None:
        request = frozen.page(token, fields=names, limit=limit)
    else:
        request = audiences.page(named(audience), fields=names, limit=limit)
    found = _members(call.client, request)
    if not printed(call, found, names, everyone):
        output.say("nobody is in this audience")


@app.command("freeze")
@verb()
@of_audience
def freeze(
    call: Call,
    audience: dict[str, Any] | None,
    lifetime_s: Annotated[int, typer.Option("--lifetime", metavar="SECONDS", help="60 to 86400.")] = 3_600,
) -> None:
    """Keep just those who are in an audience now, under a token, which is printed once they are kept."""
    found = call.client.ask(frozen.freeze(named(audience), lifetime_s=lifetime_s))
    while found["state"] == "freezing":
        output.say(f"{found['count']:,} profiles so far")
        time.sleep(LOOK_S)
        found = call.client.ask(frozen.read(found["token"]))
    if found["state"] == "failed":
        raise Problem(f"the audience was not frozen: {found['reason']}", advice="freeze it again")
    if not call.printed(found):
        output.console.print(found["token"], markup=False)
        output.say(
            f"{output.count(found['count'], 'profile')}, until "
            f"{output.named_instant(found['expires_at'], call.zone)}"
        )


@app.command("save")
@verb()
@of_audience
def save(
    call: Call,
    audience: dict[str, Any] | None,
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="The id of a static segment.")],
    replace: Annotated[bool, typer.Option("--replace", help="Just these shall be on the list.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take them off the list.")] = False,
) -> None:
    """Put an audience onto the list of a static segment, and wait until all of it is accepted."""
    if replace and remove:
        raise Problem("--replace and --remove exclude each other", advice="give one of the two")
    how: list_jobs.How = "replace" if replace else "remove" if remove else "append"
    job = call.client.ask(list_jobs.create(segment, named(audience), how=how))
    while job["state"] == "running":
        output.say(f"{job['done']:,} of {job['total']:,} profiles")
        time.sleep(LOOK_S)
        job = call.client.ask(list_jobs.read(job["id"]))
    if job["state"] == "failed":
        raise Problem(f"the job failed: {job['reason']}", advice="run it again: only the rest is sent")
    if not call.printed(job):
        output.say(f"{job['added']:,} put on the list of {segment}, {job['removed']:,} taken off it")


@app.command("changes")
@verb()
def changes(
    call: Call,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="What `freeze` printed.")],
    entered: Annotated[bool, typer.Option("--entered", help="Who has come, not who has left.")] = False,
) -> None:
    """Who has left an audience since it was frozen, one a line."""
    request = frozen.changes(token, kind="entered" if entered else "left", limit=PAGE)
    for id_ in call.client.each(request):
        if not call.printed({"profile": id_}):
            output.console.print(id_, markup=False, soft_wrap=True)


@app.command("frozen")
@verb()
def list_frozen(call: Call) -> None:
    """The tokens that have not ended, the oldest first."""
    found = call.client.ask(frozen.read_all())["frozen"]
    if not call.tabled(found, "no audience is frozen: `livesegments audience freeze` freezes one"):
        return
    zone = call.zone
    rows = [
        (
            each["token"],
            each["state"],
            each["audience"]["include"],
            each["count"],
            output.instant(each["expires_at"], zone),
        )
        for each in found
    ]
    output.table(
        "", ("token", "state", "include", "profiles", f"until ({zone})"), rows, numbers=("profiles",)
    )


@app.command("release")
@verb()
def release(
    call: Call, token: Annotated[str, typer.Argument(metavar="TOKEN", help="What `freeze` printed.")]
) -> None:
    """End a token before its time: the ids that it keeps are removed."""
    call.client.ask(frozen.delete(token))
    if not call.printed({"token": token}):
        output.say(f"released {token}")


@app.command("split")
@verb()
@of_audience
def split(
    call: Call,
    audience: dict[str, Any] | None,
    parts: Annotated[int | None, typer.Option("--parts", min=1, help="How many; else as advised.")] = None,
) -> None:
    """The stable parts of an audience with their counts; with --json each one as an audience for --file."""
    found = call.client.ask(audiences.split(named(audience), parts=parts))
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


def _members(client: Client, request: Pages[Any, str]) -> Iterator[dict[str, Any]]:
    for page in client.pages(request):
        output.warnings(page["warnings"])
        yield from of_page(page)


def _share(text: str) -> dict[str, Any]:
    salt, _, span = text.rpartition(":")
    first, _, last = span.partition("-")
    try:
        return {"salt": salt, "from": float(first), "to": float(last)}
    except ValueError as error:
        raise Problem(f"'{text}' is no bucket", advice="give SALT:FROM-TO, as `spring:0-50`") from error
