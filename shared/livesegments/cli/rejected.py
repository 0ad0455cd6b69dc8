"""`livesegments rejected`: refused events, and why; `--replay` applies an event that a fault of ours kept
back.
"""

from __future__ import annotations

import sys
import time
from base64 import b64decode
from collections.abc import Iterator
from itertools import chain, islice
from typing import Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.client import Client
from livesegments.cli.verb import Call, verb
from livesegments.client import rejected as api

FIRST = 20
PAGE = 200
POLL_S = 1.0
WIDTH = 120
"""Characters of an item in a table."""


@verb()
def rejected(
    call: Call,
    code: Annotated[str | None, typer.Option("--code", help="Only with this code: bad_date, say.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Only from this instant on (ISO 8601).")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Only before this instant.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every refusal, not only the newest 20.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with those to come.")] = False,
    show: Annotated[str | None, typer.Option("--show", metavar="ID", help="The raw bytes of one.")] = None,
    replay: Annotated[
        str | None,
        typer.Option("--replay", metavar="ID", help="Apply an event again that an internal fault held back."),
    ] = None,
) -> None:
    """What was refused, newest first, with its reason; with --follow the newest last."""
    query = {name: value for name, value in (("code", code), ("since", since), ("until", until)) if value}
    client = call.client
    if show is not None:
        _show(client.ask(api.read(show)), call.as_json)
    elif replay is not None:
        _tell_replayed(client.ask(api.replay(replay)), call.as_json)
    elif follow:
        for item in followed(client, query, PAGE if everything else FIRST):
            _tell(item, call.as_json)
    else:
        _list(client, query, everything, call.as_json)


def followed(client: Client, query: dict[str, str], first: int) -> Iterator[Any]:
    """The newest `first` refusals, oldest of them first, then those that come; never ends."""
    page = client.ask(api.page(**query, limit=first))
    yield from reversed(page["rejected"])
    while True:
        after = page["latest"]
        time.sleep(POLL_S)
        page, *older = client.pages(api.page(**query, after=after, limit=PAGE))
        yield from reversed([each for one in (page, *older) for each in one["rejected"]])


def _list(client: Client, query: dict[str, str], everything: bool, as_json: bool) -> None:
    found = client.each(api.page(**query, limit=PAGE if everything else FIRST + 1))
    first = next(found, None)
    if first is None:
        output.say(_nothing(query))
        return
    found = chain((first,), found)
    for item in found if everything else islice(found, FIRST):
        _tell(item, as_json)
    if not everything and next(found, None) is not None:
        output.say(f"the newest {FIRST} only: --all for every refusal")


def _nothing(query: dict[str, str]) -> str:
    if not query:
        return "nothing was refused, or it is older than what is kept"
    options = ", ".join(f"--{name}" for name in query)
    return f"no refusal fits {options}: without {'it' if len(query) == 1 else 'them'} every refusal is listed"


def _tell(item: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.json(item)
        return
    workspace = item["workspace"] or "no workspace"
    output.console.print(
        f"{item['id']}  {item['at']}  {workspace}  {item['code']}", markup=False, soft_wrap=True
    )
    output.console.print(f"    {item['reason']}", markup=False, soft_wrap=True)
    if item["text"]:
        line = " ".join(item["text"].split())
        shown = line if len(line) <= WIDTH else line[:WIDTH] + "…"
        output.console.print(f"    {shown}", markup=False, soft_wrap=True, style="dim")


def _show(item: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.json(item)
    else:
        sys.stdout.buffer.write(b64decode(item["raw"]) + b"\n")


def _tell_replayed(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.json(told)
        return
    output.console.print(
        f"event {told['event']} of profile {told['profile']} is published again: `livesegments settle` waits "
        "until it is applied",
        markup=False,
        soft_wrap=True,
    )
