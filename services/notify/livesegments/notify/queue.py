"""The messages of a lane that are not delivered yet. Pure: time is an argument, nothing is sent from here.

Rules and invariants:
- A profile's transitions go in order: a message may be sent if no earlier one that waits has a profile of
  it.
- A message is `sealed` once nothing is added to it. Its id follows from what is in it, so it is the same at
  every attempt. In batches it is sent only after it was saved: after a crash it is the same.
- A failed message waits as `backoff` says; the others go on past it, up to `MOST` messages.
- After `MANY_FAILURES` in a row the receiver counts as down. Then one message at a time is tried, at least
  every `PROBE_MS`; that counts as an attempt only if it was due. The first success lets all that wait go at
  once: whoever was down for an hour hears everything right after.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from msgspec import Struct

from livesegments.core.event import Transition
from livesegments.notify.backoff import pause_ms

MOST = 256
MANY_FAILURES = 8
FIRST_PROBE_MS, PROBE_MS = 1_000, 30_000


class Message(Struct, array_like=True):
    """`number` is its place in the lane's order, `since_ms` when its first transition came."""

    number: int
    since_ms: int
    transitions: list[Transition]
    sealed: bool = False
    failures: int = 0
    next_ms: int = 0

    @property
    def id(self) -> str:
        """A single transition's own id, which it also has in Kafka; else a digest of all ids."""
        if len(self.transitions) == 1:
            return self.transitions[0].id
        digest = blake2b(digest_size=16)
        for each in self.transitions:
            digest.update(each.id.encode() + b"\0")
        return digest.hexdigest()


class Queue:
    """`batch`, `batch_ms` may be changed at any time. Every method takes the clock, which may jump."""

    def __init__(self, batch: int, batch_ms: int, next_number: int, saved: Iterable[Message] = ()) -> None:
        self.batch, self.batch_ms = batch, batch_ms
        self.next_number = next_number
        self.messages: dict[int, Message] = {}
        self.down = False
        self._by_profile: dict[str, deque[int]] = {}
        self._blocked: dict[int, int] = {}
        self._ready: list[tuple[int, int]] = []
        self._sent: set[int] = set()
        self._saved: set[int] = set()
        self._changed: set[int] = set()
        self._open: Message | None = None
        self._row = 0
        self._tried_ms: int | None = None
        for message in sorted(saved, key=lambda each: each.number):
            self.messages[message.number] = message
            self._saved.add(message.number)
            if message.sealed:
                self._enter(message)
            else:
                self._open = message

    @property
    def room(self) -> int:
        """How many transitions may be added."""
        return max(MOST - len(self.messages), 0)

    def add(self, transitions: Iterable[Transition], now_ms: int) -> None:
        for each in transitions:
            if self._open is None:
                self._open = Message(self.next_number, now_ms, [])
                self.messages[self.next_number] = self._open
                self.next_number += 1
            self._open.transitions.append(each)
            self._changed.add(self._open.number)
            if len(self._open.transitions) >= self.batch:
                self._seal(self._open)

    def ready(self, now_ms: int, most: int) -> list[Message]:
        """Messages to be sent now, each of which `delivered` or `failed` is asked about later."""
        if self._open is not None and not self._open.since_ms <= now_ms < self._open.since_ms + self.batch_ms:
            self._seal(self._open)
        if self.down:
            return self._probe(now_ms)
        found: list[Message] = []
        later: list[tuple[int, int]] = []
        while self._ready and len(found) < most and self._ready[0][0] <= now_ms:
            due = heapq.heappop(self._ready)
            message = self.messages[due[1]]
            if not self._may_go(message):
                later.append(due)
                continue
            self._sent.add(message.number)
            found.append(message)
        for due in later:
            heapq.heappush(self._ready, due)
        return found

    def delivered(self, number: int, now_ms: int) -> None:
        self._row = 0
        if self.down:
            self.down = False
            for message in self.messages.values():
                if message.next_ms > now_ms:
                    message.next_ms = now_ms
                    self._changed.add(message.number)
            self._ready = [(self.messages[each].next_ms, each) for _, each in self._ready]
            heapq.heapify(self._ready)
        self._leave(number)

    def failed(self, number: int, now_ms: int, asked_s: float = 0.0) -> Message | None:
        """The message if it is a dead letter now: it has left the queue."""
        message = self.messages[number]
        self._sent.discard(number)
        self._row += 1
        self._tried_ms = now_ms
        if not self.down or message.next_ms <= now_ms:
            message.failures += 1
            pause = pause_ms(message.id, message.failures, asked_s)
            self._changed.add(number)
            if pause is None:
                self._leave(number)
                return message
            message.next_ms = now_ms + pause
        heapq.heappush(self._ready, (message.next_ms, number))
        self.down = self.down or self._row >= MANY_FAILURES
        return None

    def unsent(self, number: int) -> None:
        """It was given by `ready`, but not sent: it is as before."""
        self._sent.discard(number)
        heapq.heappush(self._ready, (self.messages[number].next_ms, number))

    def wakes_ms(self, now_ms: int) -> int | None:
        """When `ready` may have more, if nothing else happens; None: never."""
        at = [self._open.since_ms + self.batch_ms] if self._open is not None else []
        if self.down and not self._sent:
            at.append(self._probe_ms(now_ms))
        elif not self.down and self._ready:
            at.append(self._ready[0][0])
        return min(at, default=None)

    def changes(self) -> tuple[dict[int, Message], list[int]]:
        """What has to be written to save the queue as it is, and what has to be deleted. `saved` follows once
        it is, however often that has to be tried; meanwhile the queue may go on."""
        puts = {number: self.messages[number] for number in self._changed if number in self.messages}
        self._changed.clear()
        return puts, [number for number in self._saved if number not in self.messages]

    def saved(self, puts: Mapping[int, Message], drops: Iterable[int]) -> None:
        """Exactly this was written."""
        self._saved |= puts.keys()
        self._saved.difference_update(drops)

    def _may_go(self, message: Message) -> bool:
        """What is in it, and so its id, must be the same after a crash."""
        alone = self.batch == 1 and len(message.transitions) == 1
        return alone or (message.number in self._saved and message.number not in self._changed)

    def _probe(self, now_ms: int) -> list[Message]:
        if self._sent or now_ms < self._probe_ms(now_ms):
            return []
        for due in sorted(self._ready):
            message = self.messages[due[1]]
            if self._may_go(message):
                self._ready.remove(due)
                heapq.heapify(self._ready)
                self._sent.add(message.number)
                return [message]
        return []

    def _probe_ms(self, now_ms: int) -> int:
        """The pause doubles with every failure; a clock that went back does not postpone it."""
        tried = min(self._tried_ms if self._tried_ms is not None else now_ms, now_ms)
        return tried + min(FIRST_PROBE_MS << min(self._row - MANY_FAILURES, 10), PROBE_MS)

    def _seal(self, message: Message) -> None:
        message.sealed = True
        self._changed.add(message.number)
        self._open = None
        self._enter(message)

    def _enter(self, message: Message) -> None:
        blocked = 0
        for profile in {each.profile for each in message.transitions}:
            line = self._by_profile.setdefault(profile, deque())
            blocked += bool(line)
            line.append(message.number)
        if blocked:
            self._blocked[message.number] = blocked
        else:
            heapq.heappush(self._ready, (message.next_ms, message.number))

    def _leave(self, number: int) -> None:
        message = self.messages.pop(number)
        self._sent.discard(number)
        for profile in {each.profile for each in message.transitions}:
            line = self._by_profile[profile]
            line.popleft()
            if not line:
                del self._by_profile[profile]
                continue
            behind = line[0]
            self._blocked[behind] -= 1
            if not self._blocked[behind]:
                del self._blocked[behind]
                heapq.heappush(self._ready, (self.messages[behind].next_ms, behind))
