"""`livesegments settle`: waits until everything acknowledged so far is applied and announced."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from livesegments.cli import output
from livesegments.cli.client import Client
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import operations

TIMEOUT_S = 120.0
POLL_S = 0.05

TimeoutOption = Annotated[float, typer.Option("--timeout", help="Seconds to wait at most.")]


class Partition(Struct):
    """Of one partition of `events`: `end` and `applied` are next offsets, `clock` is ISO 8601 or None."""

    partition: int
    end: int
    applied: int
    outbox: int
    revision: int
    clock: str | None = None
    due: int = 0
    recounts: int = 0
    handing: int = 0


class Lag(Struct):
    """The api's `/v1/lag`."""

    partitions: list[Partition]
    inbound: int
    revision: int

    @property
    def feeding(self) -> bool:
        """Whether something acknowledged is still to become records of `events`."""
        return bool(self.inbound or any(part.handing for part in self.partitions))


def read(client: Client) -> Lag:
    return msgspec.convert(client.ask(operations.lag()), Lag)


def behind(now: Lag, wanted: Lag) -> list[str]:
    """What is still missing of `wanted`'s ends and revision, in words; empty when settled."""
    missing = {
        "inbound records to accept": now.inbound,
        "packed records to apply": sum(
            max(0, then.end - part.applied)
            for part, then in zip(now.partitions, wanted.partitions, strict=True)
        ),
        "commits to announce": sum(part.outbox for part in now.partitions),
        "due times to fire": sum(part.due for part in now.partitions),
        "profiles with events to take back": sum(part.recounts for part in now.partitions),
        "commits with merged profiles to hand over": sum(part.handing for part in now.partitions),
        "partitions to adopt the catalogue": sum(part.revision < wanted.revision for part in now.partitions),
    }
    return [f"{count:,} {what}" for what, count in missing.items() if count]


def wait(client: Client, timeout_s: float = TIMEOUT_S) -> Lag:
    """The lag once settled. Raises Problem, saying what is missing, when that takes too long."""
    until = time.monotonic() + timeout_s
    before = read(client)
    wanted = now = read(client)
    while before.feeding or behind(now, wanted):
        if time.monotonic() > until:
            missing = behind(now, wanted) or behind(before, wanted)
            raise Problem(
                f"not settled in time: {', '.join(missing)}",
                advice="is the evaluator ready (/readyz)? then repeat with a longer --timeout",
            )
        time.sleep(POLL_S)
        fed = before.feeding  # an end is read before what feeds it: so `wanted` may lack the last of that
        before, now = now, read(client)
        if fed:
            wanted = now
    return now


@verb("stack")
def settle(call: Call, timeout: TimeoutOption = TIMEOUT_S) -> None:
    """Wait until everything acknowledged so far is applied and its transitions are published."""
    lag = wait(call.client, timeout)
    if not call.printed(lag):
        output.console.print("settled: everything acknowledged is applied and announced")
