"""What became of the rows that were sent: whether ingest and the evaluators have come to all of them, and
which they refused.

Example: the workspace has its quota of profiles, so ingest puts row 17 of import 5f0c into topic `rejected`,
under the id of its change, `import-5f0c-000000017`. Once the ends that `inbound` and then `events` had behind
the last row are taken and applied, all such records are there: they are read from the instant on at which the
import was begun.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode

import msgspec
from msgspec import Struct

from livesegments.api.operations.lag import Lags
from livesegments.api.operations.refusals import Refusals
from livesegments.wire.rejected import Record, event_of

LOOKS, LOOK_S = 10, 0.2
"""So often it is looked for a row that is on its way, before the job gives its place to another."""
SKEW_MS = 60_000
"""The broker stamps refusals by its own clock."""


class Way(Struct, frozen=True, omit_defaults=True):
    """How far it has to come: the next offsets of every partition of `inbound` behind the last row, and those
    of `events` once ingest had taken it."""

    inbound: tuple[int, ...] = ()
    events: tuple[int, ...] = ()


class Arrivals:
    """Everything raises KafkaError, TimeoutError or Away."""

    def __init__(self, lags: Lags, refusals: Refusals) -> None:
        self._lags, self._refusals = lags, refusals

    async def way(self) -> Way:
        """From now on: everything that was sent before lies on it."""
        return Way((await self._lags.read()).inbound.ends)

    async def further(self, way: Way) -> Way | None:
        """The way that is left, which may be another one than before; None: it is at its end."""
        for look in range(LOOKS):
            if look:
                await asyncio.sleep(LOOK_S)
            lag = await self._lags.read()
            if not way.events:
                if all(at >= end for at, end in zip(lag.inbound.taken, way.inbound, strict=True)):
                    # the ends are those of before the offsets: so they are read once more
                    way = Way(way.inbound, tuple(each.end for each in (await self._lags.read()).partitions))
            elif all(each.applied >= end for each, end in zip(lag.partitions, way.events, strict=True)):
                return None
        return way

    async def refused(self, workspace: str, job: str, since_ms: int) -> dict[int, str]:
        """The numbers of the rows that were refused on the way, with their reasons."""
        prefix, found = prefix_of(job), dict[int, str]()
        reasons: dict[str, str] = {}

        def take(record: Record) -> None:
            if record.workspace == workspace and (number := _row(record, prefix)) is not None:
                told = f"taken, but for this: {record.reason}" if record.partial else record.reason
                found[number] = reasons.setdefault(told, told)

        await self._refusals.since(since_ms - SKEW_MS, take)
        return found


def prefix_of(job: str) -> str:
    """Of the ids of its rows' changes; the number of the row follows, in nine digits."""
    return f"import-{job}-"


class _Named(Struct):
    id: str = ""


_named = msgspec.json.Decoder(_Named)


def _row(record: Record, prefix: str) -> int | None:
    event = event_of(record)
    if event is not None:
        id_ = event.id
    else:
        try:
            id_ = _named.decode(b64decode(record.raw)).id
        except (msgspec.DecodeError, ValueError):
            return None
    number = id_.removeprefix(prefix)
    return int(number) if number != id_ and number.isdecimal() else None
