"""Whether a worker is ready, and those of its metrics that are read on request."""

from __future__ import annotations

from livesegments.evaluator.worker import Worker
from livesegments.runtime import metrics

READY_LAG = 1_000
"""A worker is ready when it is at most this many records behind in each partition."""


def not_ready(worker: Worker) -> list[str]:
    """Ready: assigned, every partition claimed in the store and not waiting for it, and caught up."""
    lags = worker.lags()
    reasons = [] if worker.assigned else ["no assignment"]
    reasons += [f"partition {p}: the store is away" for p, owner in worker.owners.items() if owner.stranded]
    reasons += [
        f"partition {p}: it is being made anew" for p, owner in worker.owners.items() if owner.restoring
    ]
    reasons += [f"partition {p}: end of log not known yet" for p, lag in lags.items() if lag is None]
    behind = {p: lag for p, lag in lags.items() if lag is not None and lag > READY_LAG}
    return reasons + [f"partition {p}: {lag} records behind" for p, lag in behind.items()]


def show_lags(worker: Worker) -> None:
    metrics.LAG.clear()  # of partitions that went to another
    for partition, lag in worker.lags().items():
        metrics.LAG.labels(str(partition)).set(-1 if lag is None else lag)
    metrics.OUTBOX.clear()
    metrics.DUE.clear()
    metrics.BUILDING.clear()
    for partition, owner in worker.owners.items():
        outbox, due = owner.backlog
        metrics.OUTBOX.labels(str(partition)).set(outbox)
        metrics.DUE.labels(str(partition)).set(due)
        metrics.BUILDING.labels(str(partition)).set(owner.building)
