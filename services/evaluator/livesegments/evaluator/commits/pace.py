"""How a storm of due times goes on beside live events. All owners of a worker share one pace.

200,000 profiles may come due at one instant. An event waits for its own profile's due times and for no
others, so a storm is only other work that keeps the worker, the store and the broker busy. It is fired in
chunks, one partition at a time. A chunk is one commit, since every commit costs the store and the broker
about the same, whatever its size. But it is computed in slices, and the event loop goes round between two of
them: so whatever an event needs next in the worker waits for one slice at most.

Two things hold a chunk back. One that the store has not applied: the store does one thing after the other,
so an event waits there for one chunk at most; the next one is computed meanwhile. And a partition whose
transitions wait for the broker, which is its owner's to see.

The slices of segments that are built take the same turns. While they do, records are read in rounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sized

from livesegments.runtime import metrics

SLICE_S = 0.0004
"""After so long a slice ends."""
QUIET_S = 0.00005
"""A round of the event loop that takes less did nothing."""
REST_S = 0.0005
"""A storm rests between two slices for so long at most, and for the end of the round that is on."""
REST_ROUNDS = 3
"""A rest has so many rounds of the event loop at most. On a slow machine every round seems to have done
something: a storm that waited for one that didn't would go round for longer than it fires."""
ROUNDS = 3
"""An owner that is woken takes its turn within so many rounds of the event loop, unless it is busy."""
ROUND_S = 0.02
"""While segments are built, records are read in rounds of this time: those of a round go together, and what
is read, applied and announced costs more by the round than by the record."""
CALM_S = 0.1
"""Records are taken to come until none has come for this time."""
OVER_S = 1.0
"""A storm is on until no chunk has been fired for this time."""


class Spent:
    """Where a storm's time goes (metric `storm_seconds`): `firing` due times, resting for other work of the
    `loop`, waiting for the `store` to answer, or for the next `turn`: while partitions wait for the broker,
    for instance."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._on, self._since_s = "turn", now_s()
        self._sums = dict.fromkeys(("firing", "loop", "store", "turn"), 0.0)

    def on(self, what: str, counts: bool = True) -> None:
        """From now on. `counts`: whether the time until now was a storm's."""
        now_s = self._now_s()
        if counts:
            self._sums[self._on] += max(0.0, now_s - self._since_s)
        self._on, self._since_s = what, now_s

    def told(self) -> None:
        """At the end of a turn: the metric has what came together."""
        for on, spent_s in self._sums.items():
            if spent_s:
                metrics.STORM_SECONDS.labels(on).inc(spent_s)
                self._sums[on] = 0.0


class Pace:
    """`chunk` is how many due times are fired in one commit, `slice` how many of them at least without a
    pause. `now_s` is a clock, `worked_s` the one by which slices and rests go; it stands still for no
    longer than `QUIET_S`. `spent_s`: the processor's time of the worker's thread; left out, `worked_s`."""

    def __init__(
        self,
        chunk: int,
        slice_: int,
        now_s: Callable[[], float],
        worked_s: Callable[[], float],
        spent_s: Callable[[], float] | None = None,
    ) -> None:
        self.chunk = chunk
        self.slice = slice_
        self.now_s = now_s
        self.worked_s = worked_s
        self.spent_s = worked_s if spent_s is None else spent_s
        self._rested_s = worked_s()
        self._taken = False
        self._spent = Spent(now_s)
        self._reply: asyncio.Future[bool] | None = None
        self._owners: dict[Callable[[], None], None] = {}
        self._heard_s = now_s() - CALM_S
        self._fired_s = now_s() - OVER_S
        self._built_s = now_s() - CALM_S
        self.reading = asyncio.Lock()
        """Held while a partition's tail is read to be archived: one after the other."""

    def heard(self) -> None:
        """A record has come, for any partition."""
        self._heard_s = self.now_s()

    @property
    def calm(self) -> bool:
        """Whether no records come."""
        return self.now_s() - self._heard_s >= CALM_S

    def fired(self) -> None:
        """A chunk of due times is under way to the store."""
        self._fired_s = self.now_s()

    def built(self) -> None:
        """A slice of a new segment was made."""
        self._built_s = self.now_s()

    def round_s(self) -> float:
        """How long a round of reading takes now; 0: every record is read as it comes."""
        return ROUND_S if self.now_s() - self._built_s < CALM_S else 0.0

    @property
    def storming(self) -> bool:
        """Whether due times come in chunks: what can wait waits."""
        return self.now_s() - self._fired_s < OVER_S

    def take(self, wake: Callable[[], None]) -> bool:
        """The turn to fire a chunk; False if another has it: `wake` is called when it may be free."""
        if self._taken:
            self._owners[wake] = None
            return False
        self._owners.pop(wake, None)
        self._taken = True
        self._spent.on("firing", counts=self.storming)
        return True

    @property
    def tired(self) -> bool:
        """Whether the slice that is being fired must end."""
        return self.worked_s() - self._rested_s >= SLICE_S

    async def rest_within(self, awaited: Sized = ()) -> None:
        """Between two slices of a turn."""
        self._spent.on("loop")
        await self.rest(awaited)
        self._spent.on("firing")

    async def rest(self, awaited: Sized = ()) -> None:
        """Returns when the event loop had nothing else to do in a round, when something is in `awaited`, or
        after `REST_S` or `REST_ROUNDS`."""
        begun_s = last_s = self.worked_s()
        for _ in range(REST_ROUNDS):
            await asyncio.sleep(0)
            now_s = self.worked_s()
            if now_s - last_s < QUIET_S or now_s - begun_s > REST_S or awaited:
                break
            last_s = now_s
        self._rested_s = now_s

    async def landed(self) -> None:
        """Returns when the chunk of the turn before has been answered by the store."""
        if self._reply is not None:
            self._spent.on("store")
            await asyncio.wait([self._reply])
            self._spent.on("firing")

    def give(self, reply: asyncio.Future[bool] | None = None) -> None:
        """The end of a turn, with the store's reply to come."""
        self._taken = False
        self._reply = reply
        self._spent.on("turn")
        self._spent.told()
        self._offer()

    def _offer(self) -> None:
        """Wakes the owner that has waited longest; if it is busy with a record, then the next one."""
        if self._owners and not self._taken:
            wake = next(iter(self._owners))
            del self._owners[wake]
            wake()
            self._offer_again(ROUNDS)

    def _offer_again(self, rounds: int) -> None:
        if rounds:
            asyncio.get_running_loop().call_soon(self._offer_again, rounds - 1)
        else:
            self._offer()
