"""How far a partition has brought a segment: written by its evaluator, read and summed up by the api.

One hash a partition and workspace, `{p}:segments:WORKSPACE`: segment id → JSON of `Progress`. A segment
that a partition has no entry for has not been adopted there yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

State = Literal["building", "ready"]


class Progress(Struct, frozen=True):
    """`done` of `total` stored profiles are evaluated under version `definition_version`, in `timezone`.

    `complete_since_ms`: the events of the segment's conditions are counted from this instant on; None
    where nothing was left out (no event conditions, or kept since the partition's first event).
    `begun_ms`: when the partition began to build, by the wall clock; None where that doesn't count.
    """

    state: State
    done: int
    total: int
    definition_version: int
    complete_since_ms: int | None = None
    timezone: str = ""
    begun_ms: int | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Progress)


def encode(progress: Progress) -> bytes:
    return _encoder.encode(progress)


def decode(data: bytes) -> Progress:
    return _decoder.decode(data)


def estimated_end(progress: Progress, defined_ms: int, now_ms: int) -> int | None:
    """ms, by the profiles done since the building began; None where nothing is built, or nothing done yet.

    `defined_ms`, when the definition was written, counts where the beginning is not known. The two lie apart
    where the evaluator was away meanwhile.
    """
    took_ms = now_ms - (defined_ms if progress.begun_ms is None else progress.begun_ms)
    if progress.state == "ready" or not progress.done or took_ms <= 0:
        return None
    return now_ms + took_ms * (progress.total - progress.done) // progress.done


def aggregate(parts: Iterable[Progress | None], definition_version: int, timezone: str = "") -> Progress:
    """The whole segment's progress from that of every partition (None: not adopted there yet).

    Ready only when every partition is, at `definition_version` in `timezone`. Complete since the latest of
    the partitions' instants; begun at the first of them.
    """
    done = total = 0
    ready = True
    since: int | None = None
    begun: int | None = None
    for part in parts:
        if part is None or (part.definition_version, part.timezone) != (definition_version, timezone):
            ready = False
            continue
        done += part.done
        total += part.total
        ready = ready and part.state == "ready"
        if part.complete_since_ms is not None:
            since = part.complete_since_ms if since is None else max(since, part.complete_since_ms)
        if part.begun_ms is not None:
            begun = part.begun_ms if begun is None else min(begun, part.begun_ms)
    return Progress("ready" if ready else "building", done, total, definition_version, since, timezone, begun)
