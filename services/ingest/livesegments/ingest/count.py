"""Items that came in, counted by their source and by the code of their fault."""

from __future__ import annotations

from collections.abc import Sequence

from livesegments.runtime import metrics
from livesegments.wire.rejected import Rejected


def count(
    source: str, accepted: int, rejected: Sequence[Rejected], left_out: Sequence[Rejected] = ()
) -> None:
    """An item is counted once, by its first code. `source` is `http` or `inbound`."""
    metrics.INGEST_ACCEPTED.labels(source).inc(accepted)
    for item in rejected:
        metrics.INGEST_REJECTED.labels(source, item.faults[0].code).inc()
    for item in left_out:
        metrics.INGEST_LEFT_OUT.labels(source, item.faults[0].code).inc()
