"""How much of a workspace a partition had to set aside because of a fault of ours.

One hash a partition, `{p}:degraded`: workspace → JSON of `Degraded`. Written by the partition's evaluator in
the commit that goes on past the set-aside event; read and summed up by the api. The events themselves are in
topic `rejected`, with the code `internal_fault`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from livesegments.store import keys

MOST_IDS = 1_000


class Degraded(Struct, frozen=True):
    """How many events are set aside, and how many profiles are owed due times, or changes of definitions and
    history; the last was set aside at `last_ms` by the partition's clock. `plan`: why the newest definitions
    can't be compiled, if so. `ids`: of the newest `MOST_IDS` of those events, "PROFILE ID", so that one that
    is replayed counts no more."""

    events: int = 0
    dues: int = 0
    definitions: int = 0
    last_ms: int | None = None
    plan: str | None = None
    ids: tuple[str, ...] = ()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Degraded)


def encode(degraded: Degraded) -> bytes:
    return _encoder.encode(degraded)


def decode(data: bytes) -> Degraded:
    return _decoder.decode(data)


def without(degraded: Degraded, profile: str) -> Degraded:
    """Without the ids of a profile's events."""
    kept = tuple(each for each in degraded.ids if not each.startswith(f"{profile} "))
    return replace(degraded, ids=kept)


def aggregate(parts: Iterable[Degraded]) -> Degraded | None:
    """Of all partitions together; None if nothing was set aside and the definitions compile."""
    events = dues = definitions = 0
    last_ms: int | None = None
    plan: str | None = None
    for part in parts:
        events, dues, definitions = events + part.events, dues + part.dues, definitions + part.definitions
        if part.last_ms is not None:
            last_ms = part.last_ms if last_ms is None else max(last_ms, part.last_ms)
        plan = plan or part.plan
    whole = Degraded(events, dues, definitions, last_ms, plan)
    return None if whole == Degraded() else whole


async def read(redis: Any, partitions: int, workspaces: Sequence[str]) -> dict[str, Degraded]:
    """Of the workspaces those that are degraded. Raises Away."""
    if not workspaces:
        return {}
    pipe = redis.pipeline(transaction=False)
    for partition in range(partitions):
        pipe.hmget(keys.degraded(partition), *workspaces)
    columns = zip(*await pipe.execute(), strict=True)
    wholes = {
        workspace: aggregate(decode(part) for part in parts if part is not None)
        for workspace, parts in zip(workspaces, columns, strict=True)
    }
    return {workspace: whole for workspace, whole in wholes.items() if whole is not None}
