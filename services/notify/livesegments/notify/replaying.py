"""A range of the topic that a subscription is sent again, beside what is new.

It is read with the subscription's own segments, kinds and causes, without dwell or cool-down. Messages of
single transitions have the ids that they had.
"""

from __future__ import annotations

from collections.abc import Sequence

from livesegments.core.event import Transition
from livesegments.notify.lane import Read
from livesegments.wire.hearing import concerns, hears
from livesegments.wire.subscription import Subscription


class Replaying:
    """A lane's replay number `number`, from offset `at` up to `end`; it is over where they are equal."""

    def __init__(self, number: int = 0, at: int = 0, end: int = 0) -> None:
        self.number, self.at, self.end = number, at, end
        self._saved = self.state

    @property
    def state(self) -> tuple[int, int, int]:
        return self.number, self.at, self.end

    @property
    def moved(self) -> bool:
        return self.state != self._saved

    @property
    def under_way(self) -> bool:
        return self.at < self.end

    def adopt(self, rule: Subscription, partition: int) -> None:
        """A newer one takes the place of the one under way."""
        asked = rule.replay
        if asked is not None and asked.number > self.number and partition < len(asked.first):
            self.number, self.at, self.end = asked.number, asked.first[partition], asked.end[partition]

    def take(self, rule: Subscription, reads: Sequence[Read], room: int) -> list[Transition]:
        """What is to be sent of these, which begin at `at`; none at all: the topic ends before the range."""
        found: list[Transition] = []
        for offset, transition in reads:
            if offset >= self.end or len(found) >= room:
                break
            self.at = offset + 1
            if transition is not None and concerns(rule, transition) and hears(rule, transition):
                found.append(transition)
        if not reads or (reads[-1].offset >= self.end and len(found) < room):
            self.at = self.end
        return found

    def saved(self, state: tuple[int, int, int]) -> None:
        self._saved = state
