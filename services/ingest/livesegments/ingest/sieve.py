"""Events of profiles that were erased go no further: they are counted and dropped, in `rejected`, too.

The evaluator keeps them out whatever comes; here they are kept from the log, where their bytes would stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from livesegments.ingest.receipt import Accepted
from livesegments.runtime import metrics
from livesegments.wire.rejected import Rejected


class Suppressions(Protocol):
    @property
    def nobody(self) -> bool: ...
    def has(self, workspace: str, profile: str) -> bool: ...
    def named_in(self, workspace: str | None, raw: bytes) -> bool: ...


class Sieve:
    def __init__(self, suppressions: Suppressions) -> None:
        self._suppressions = suppressions

    def events(self, accepted: Sequence[Accepted]) -> Sequence[Accepted]:
        """Those that may go on."""
        known = self._suppressions
        if known.nobody:
            return accepted
        kept = [each for each in accepted if not known.has(each.workspace, each.profile)]
        metrics.INGEST_SUPPRESSED.inc(len(accepted) - len(kept))
        return kept

    def refusals(self, rejected: Iterable[Rejected]) -> Iterable[Rejected]:
        """Those whose bytes name nobody who was erased."""
        known = self._suppressions
        if known.nobody:
            return rejected
        given = list(rejected)
        kept = [each for each in given if not known.named_in(each.workspace, each.raw)]
        metrics.INGEST_SUPPRESSED.inc(len(given) - len(kept))
        return kept
