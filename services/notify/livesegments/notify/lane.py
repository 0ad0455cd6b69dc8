"""A subscription's way through one partition of `memberships`. Pure: what is read, known and due comes in,
what is to be sent and saved comes out.

`position` is the next offset to read. Everything before it was delivered, is a dead letter, waits in the
queue, or waits for its dwell as a stay. So position, queue and stays, written in one commit, are the lane's
progress.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from livesegments.core.event import Transition
from livesegments.notify import stays
from livesegments.notify.queue import Message, Queue
from livesegments.notify.stays import Decided, Stay
from livesegments.wire.hearing import concerns, hears
from livesegments.wire.subscription import Subscription


class Saved(Struct, frozen=True):
    """What a lane begins with. `next_number`: of the next message."""

    position: int
    next_number: int = 0
    messages: tuple[Message, ...] = ()


class Changes(NamedTuple):
    """`stays`: None deletes one. `dues`: when a stay has to be looked at; None: never."""

    position: int
    next_number: int
    puts: dict[int, Message]
    drops: list[int]
    stays: dict[str, Stay | None]
    dues: dict[str, int | None]


class Read(NamedTuple):
    """A record of the topic; None: it holds no transition."""

    offset: int
    transition: Transition | None


def key_of(transition: Transition) -> str:
    return f"{transition.segment}\0{transition.profile}"


class Lane:
    def __init__(self, rule: Subscription, saved: Saved) -> None:
        self.rule = rule
        self.position = saved.position
        self.queue = Queue(rule.batch, rule.batch_ms, saved.next_number, saved.messages)
        self._stays: dict[str, Stay | None] = {}
        self._saved_position = saved.position

    def adopt(self, rule: Subscription) -> None:
        """An edited rule holds for what is read from now on."""
        self.rule = rule
        self.queue.batch, self.queue.batch_ms = rule.batch, rule.batch_ms

    def unknown(self, records: Iterable[Read]) -> list[str]:
        """The keys of the stays that `take` has to be given for these records."""
        if not stays.is_needed(self.rule):
            return []
        transitions = (each.transition for each in records)
        keys = {key_of(each) for each in transitions if each is not None and concerns(self.rule, each)}
        return sorted(keys - self._stays.keys())

    def take(self, records: Sequence[Read], known: Mapping[str, Stay], now_ms: int) -> None:
        """Takes records in order, from `position` on, until the queue is full."""
        rule, queue = self.rule, self.queue
        tracked = stays.is_needed(rule)
        for offset, transition in records:
            if offset < self.position:
                continue
            if transition is not None and concerns(rule, transition):
                if not queue.room:
                    return
                heard: Iterable[Transition] = (transition,)
                if tracked:
                    key = key_of(transition)
                    stay = self._stays[key] if key in self._stays else known.get(key)
                    heard = self._decided(key, stays.decide(rule, stay, transition))
                queue.add((each for each in heard if hears(rule, each)), now_ms)
            self.position = offset + 1

    def fire(self, known: Mapping[str, Stay], now_ms: int) -> None:
        """Looks at stays whose due time has come, as many as the queue has room for."""
        for key, stored in known.items():
            stay = self._stays.get(key, stored)
            if key in self._stays and stay is None:
                continue
            if not self.queue.room or stay is None:
                return
            heard = self._decided(key, stays.fire(self.rule, stay, now_ms))
            self.queue.add((each for each in heard if hears(self.rule, each)), now_ms)

    def changes(self) -> Changes | None:
        """What has to be saved; None: nothing. `saved` follows before the next call of any method but the
        queue's."""
        puts, drops = self.queue.changes()
        if not puts and not drops and not self._stays and self.position == self._saved_position:
            return None
        dues = {
            key: None if stay is None else stays.due_ms(self.rule, stay) for key, stay in self._stays.items()
        }
        return Changes(self.position, self.queue.next_number, puts, drops, dict(self._stays), dues)

    def saved(self, changes: Changes) -> None:
        """Exactly this was written."""
        self.queue.saved(changes.puts, changes.drops)
        self._stays.clear()
        self._saved_position = changes.position

    def _decided(self, key: str, decided: Decided) -> tuple[Transition, ...]:
        self._stays[key] = decided.stay
        return decided.heard
