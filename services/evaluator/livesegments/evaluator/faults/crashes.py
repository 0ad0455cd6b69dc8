"""Faults that ended an evaluator, counted by their cause, over its restarts.

Example: a KeyError of ours ends the process, and it is started again: then
`livesegments_evaluator_crashes_total{cause="KeyError"}` is 1. A counter in memory alone would end with
what it counts.
"""

from __future__ import annotations

import builtins
from contextlib import suppress
from pathlib import Path

import msgspec

from livesegments.runtime import metrics

FILE = "crashes.json"
_KNOWN = {name for name, each in vars(builtins).items() if isinstance(each, type)}


def cause(error: BaseException) -> str:
    """The exception's class, if it is Python's or ours: so there are only so many."""
    kind = type(error)
    ours = kind.__module__.startswith("livesegments.")
    return kind.__name__ if ours or kind.__name__ in _KNOWN else "other"


def recall(folder: Path) -> None:
    """Those of the processes before, which had the same folder of data."""
    for name, count in _read(folder).items():
        metrics.CRASHES.labels(name).inc(count)


def remember(folder: Path, error: BaseException) -> None:
    name = cause(error)
    metrics.CRASHES.labels(name).inc()
    counts = _read(folder)
    counts[name] = counts.get(name, 0) + 1
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_bytes(msgspec.json.encode(counts))


def _read(folder: Path) -> dict[str, int]:
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((folder / FILE).read_bytes(), type=dict[str, int])
    return {}
