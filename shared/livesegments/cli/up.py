"""`livesegments up`: the whole product on this machine, until it is interrupted."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from livesegments.cli import context, output
from livesegments.runtime.settings import ClockMode

if TYPE_CHECKING:
    from livesegments.runtime.embedded.jars import Progress

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(
    clock: Annotated[
        ClockMode,
        typer.Option(
            help="`wall`: windows close as time goes by. `log`: time is that of the events, for replays."
        ),
    ] = "wall",
    workers: Annotated[int, typer.Option(min=1, help="Evaluators that share the partitions.")] = 1,
    api_workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that answer at the api's address.")
    ] = 1,
    console: Annotated[bool, typer.Option(help="Serve the console, pages for people, too.")] = True,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """Start broker, Redis, ingest, evaluator, api, notify and console, and serve until interrupted.

    Data stay in the data folder. LIVESEGMENTS_KAFKA (HOST:PORT) and LIVESEGMENTS_REDIS (a URL) name
    existing ones to use instead. With --json one line is printed, once all are ready.
    """
    from livesegments.cli.serving import Wanted, serving  # noqa: PLC0415  (slow: for this command alone)

    wanted = Wanted(data.resolve(), dict(os.environ), clock, workers, api_workers, console)

    async def serve() -> None:
        async with serving(wanted, output.say, fetching()) as up:
            (output.json if as_json else _show)(up)
            await asyncio.Event().wait()

    until_interrupted(serve())


def until_interrupted(work: Coroutine[object, object, None]) -> None:
    """Runs `work`; SIGINT, SIGTERM and SIGHUP cancel it, wherever it is, and it ends in good order."""

    async def run() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in ENDINGS:
            loop.add_signal_handler(number, task.cancel)
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    asyncio.run(run())


def fetching() -> Progress:
    """Says, the first time only, that the broker is fetched, and how far that is."""

    def told(have: int, total: int) -> None:
        if have % 9 == 0 or have == total:
            output.say(f"fetching Apache Kafka (once): {have} of {total} jars")

    return told


def _show(up: context.Up) -> None:
    rows = {
        "ingest": up.ingest,
        "api": up.api,
        "console": up.console or "none",
        "Kafka": up.kafka,
        "Redis": up.redis,
        "workspace": up.workspace,
        "write key": up.write_key,
        "API key": up.api_key,
    }
    for name, value in rows.items():
        output.console.print(Text.assemble((f"{name:>10}  ", "bold"), value), soft_wrap=True)
    output.console.print(Text("\nSend a first event, then see its profile:\n", "bold"))
    output.console.print(
        f"curl -u {up.write_key}: {up.ingest}/v1/track -H 'Content-Type: application/json' \\\n"
        """  -d '{"userId": "ada", "event": "Order Completed", "properties": {"total": 42}}'\n"""
        f"curl -H 'Authorization: Bearer {up.api_key}' {up.api}/v1/profiles/ada\n",
        soft_wrap=True,
        markup=False,
    )
    output.console.print(
        f"Everything else by commands, in another terminal: {context.command()} --help\n", markup=False
    )
    output.console.print("Interrupt (Ctrl+C) to end; data stay.", style="dim")
