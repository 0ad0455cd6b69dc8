"""The making of new segments beside live records: one slice after the other, over all partitions of a worker.

Example: a segment is created over a million profiles, and 2,000 events a second go on coming. A slice gives
some hundreds of profiles their history, in a commit of its own; the event loop goes round after every few
milliseconds of it (`portion`), and a record for the partition ends it. Between two slices the partition
applies the records that wait, which are read in rounds meanwhile (`Pace.round_s`).

A walk makes transitions. While many of these wait for the broker it rests, for live ones wait behind them.
"""

from __future__ import annotations

from collections.abc import Callable

from livesegments.evaluator.commits.flight import Flight
from livesegments.evaluator.commits.pace import Pace
from livesegments.evaluator.history.filling import Fillings
from livesegments.evaluator.plans.walks import Walks
from livesegments.evaluator.relay import Relay

WAITING = 100
"""While so many transitions wait for the broker, no walk makes more of them."""


class Building:
    """`wake` is called when it may be this partition's turn."""

    def __init__(
        self,
        walks: Walks,
        fillings: Fillings,
        flight: Flight,
        relay: Relay,
        pace: Pace,
        wake: Callable[[], None],
    ) -> None:
        self._walks = walks
        self._fillings = fillings
        self._flight = flight
        self._relay = relay
        self._pace = pace
        self._wake = wake

    @property
    def active(self) -> bool:
        return self._walks.walking or self._fillings.ready

    async def step(self) -> bool:
        """A slice of a walk, and one of a filling; False if there is nothing to do, or others are at it."""
        walks = self._walks.walking and self._relay.waiting <= WAITING
        if not (walks or self._fillings.ready):
            return await self._fillings.step()
        if not self._pace.take(self._wake):
            return False
        before = self._flight.newest
        try:
            worked = walks and await self._walks.walk()
            worked |= await self._fillings.step()
        finally:
            newest = self._flight.newest
            self._pace.built()
            self._pace.give(None if self._pace.calm or newest is before else newest)
        await self._pace.rest()
        return worked
