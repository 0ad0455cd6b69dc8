"""`livesegments watch [ID]`: transitions as they happen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any

import httpx
import msgspec
import typer
from httpx_sse import EventSource
from rich.text import Text

from livesegments.cli import output
from livesegments.cli.client import problem_of, reaching
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb


@verb()
def watch(
    call: Call,
    segment: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only this segment's.")] = None,
    backfill: Annotated[
        bool,
        typer.Option("--backfill", help="Also who enters or leaves because a definition got its history."),
    ] = False,
) -> None:
    """Every profile that enters or leaves a segment, from now on, until interrupted."""
    query = ({"segment": segment} if segment else {}) | ({"backfill": "true"} if backfill else {})
    timeout = httpx.Timeout(10.0, read=None)
    client = call.client
    with (
        reaching(client.url),
        client.http.stream("GET", "/v1/transitions", params=query, timeout=timeout) as response,
    ):
        if response.is_error:
            response.read()
            raise problem_of(response)
        watched = segment or "every segment"
        output.errors.print(f"watching {watched}; interrupt (Ctrl+C) to end", style="dim")
        with suppress(httpx.TransportError):  # it ended in the middle of the stream
            for transition in transitions(response):
                _tell(transition, call.as_json)
    raise Problem(
        "the api ended the stream", advice="is it running? run this again to hear what comes from then on"
    )


def transitions(response: httpx.Response) -> Iterator[Any]:
    """The JSON of every server-sent event up to the event `end`; heartbeats are passed over."""
    for sent in EventSource(response).iter_sse():
        if sent.event == "end":
            return
        if sent.data:
            yield msgspec.json.decode(sent.data)


def _tell(transition: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.json(transition)
        return
    entered = transition["kind"] == "entered"
    output.console.print(
        Text.assemble(
            (f"{transition['at']}  ", "dim"),
            (f"{transition['kind']:<8}", "green" if entered else "red"),
            f"{transition['segment']}  {transition['profile']}  ",
            (transition["cause"], "dim"),
        )
    )
