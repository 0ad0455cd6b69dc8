"""What becomes of a record's events: the native kernel does what it can, the interpreted core does the rest.

Example: of 500 events the kernel leaves three, of two profiles. The interpreted core applies these, each with
the clock that it has at its place. Then, with either core, what came for merged profiles is handed on, and
the states go into the commit in the making.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from livesegments.core.event import Event
from livesegments.core.handed import Handed
from livesegments.core.plan import Plan
from livesegments.evaluator.commits import kindred
from livesegments.evaluator.commits.cache import States
from livesegments.evaluator.commits.dues import Dues
from livesegments.evaluator.commits.making import Making
from livesegments.evaluator.commits.outcome import Tally
from livesegments.evaluator.commits.records import Records
from livesegments.evaluator.commits.upkeep import Upkeep
from livesegments.evaluator.kernel.share import Left, Share
from livesegments.evaluator.kernel.unread import Unread
from livesegments.wire.profilekey import ProfileKey, profile_key


class Cores:
    """Of one partition, which has `plans`. `share`: the native kernel's; None: there is none, and the due
    times are in `dues`."""

    def __init__(
        self,
        making: Making,
        upkeep: Upkeep,
        records: Records,
        plans: Mapping[str, Plan],
        cache: States,
        share: Share | None,
        dues: Dues,
    ) -> None:
        self._making = making
        self._upkeep = upkeep
        self._records = records
        self._plans = plans
        self._cache = cache
        self._share = share
        self._dues = dues

    @property
    def native(self) -> bool:
        """Whether there is a native kernel."""
        return self._share is not None

    def read(self, record: bytes) -> Sequence[Event] | None:
        """The events of a packed record that is not decoded; None where the decoder has to look at it."""
        return None if self._share is None else self._share.read(record)

    def wanted(self, events: Sequence[Event], along: Iterable[ProfileKey]) -> list[ProfileKey]:
        """Keys of the profiles that events and the dues `along` with them need and that are not cached."""
        if self._share is not None and isinstance(events, Unread):
            missing = dict.fromkeys(events.record.missing(self._share.cache))
            return [*missing, *(key for key in self._cache.missing(along) if key not in missing)]
        keys = [profile_key(event.workspace, event.profile) for event in events]
        keys += along
        return self._cache.missing(keys)

    def apply(self, events: Sequence[Event], record: bytes, tally: Tally, commit: int, along: bool) -> int:
        """Applies events from the tally's clock on; the clock after them. `record` has them as bytes, and
        `commit` is the one in the making. `along`: what is due up to that clock fires with them.
        """
        records, making = self._records, self._making
        if self._share is None:
            clock_ms = records.apply(events, tally, commit, self._dues if along else None)
        else:
            applied = self._applied_natively(self._share, events, record, tally, commit)
            if applied is None:
                clock_ms = records.apply(events, tally, commit, None)
            else:
                clock_ms = applied.clock_ms
                making.retracted += applied.retracted
                making.items += applied.leaving
                records.apply_some(events, applied.places, tally, commit)
            if along:
                self._upkeep.fire(clock_ms, None)
        if making.late:
            kindred.hand_on(making, self._plans, tally.clocks(events))
        making.encode()
        return clock_ms

    def _applied_natively(
        self, share: Share, events: Sequence[Event], record: bytes, tally: Tally, commit: int
    ) -> Left | None:
        """The kernel does what it can, but not what is done again with care; None: nothing."""
        unread = events if isinstance(events, Unread) else share.read(record)
        if unread is None or self._making.careful:
            return None
        return share.apply(unread, tally.clock_ms, self._records.suppressed, tally, commit)

    def receive(self, handed: Handed, tally: Tally, along: bool) -> bool:
        """What a merged profile hands over to one of this partition, at the tally's clock; with `along` as in
        `apply`. False: nothing, because the workspace is not in the catalogue."""
        plan, clock_ms = self._plans.get(handed.workspace), tally.clock_ms
        if plan is None:
            for place in range(len(handed.events)):
                tally.leave_unknown(place)
            return False
        if along:
            self._upkeep.fire(clock_ms, None)
        self._records.take_over(handed, plan, clock_ms, tally)
        self._making.encode()
        return True
