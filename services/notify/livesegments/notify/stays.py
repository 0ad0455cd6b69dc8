"""Minimum dwell and re-entry cool-down: which entries and exits of one profile and segment are heard.

Example: a dwell of 1 h, and ann enters `vip` at 10:00. If she exits at 10:20, nothing is heard. If she is
there at 11:00, her entry is heard then, with its own instant, 10:00, and her exit whenever it comes. With a
cool-down of 30 days her next entry is heard if it comes 30 days after 10:00 or later; one that comes sooner
is muted, and so is its exit.

Pure: a `Stay` is all that is known of a profile in a segment, `None` where nothing has to be known.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from livesegments.core.event import Transition
from livesegments.wire.subscription import Subscription


class Stay(Struct, frozen=True, array_like=True):
    """`pending`: an entry that waits for its dwell. `muted`: the entry was not heard, so its exit is not.
    `heard_ms`: the instant of the last entry heard. `sequence`, `at_ms`: of the last transition seen."""

    sequence: int
    at_ms: int
    pending: Transition | None = None
    muted: bool = False
    heard_ms: int | None = None


class Decided(NamedTuple):
    stay: Stay | None
    heard: tuple[Transition, ...] = ()


def is_needed(rule: Subscription) -> bool:
    """Whether the rule asks about stays at all."""
    return bool(rule.dwell_ms or rule.cooldown_ms)


def decide(rule: Subscription, stay: Stay | None, transition: Transition) -> Decided:
    """What the transition changes, and what is heard now."""
    if stay is not None and transition.sequence <= stay.sequence and transition.at_ms <= stay.at_ms:
        return Decided(stay)  # announced once more
    heard_ms = stay.heard_ms if stay is not None else None
    seen = Stay(transition.sequence, transition.at_ms, None, False, heard_ms)
    if transition.kind == "entered":
        if heard_ms is not None and transition.at_ms < heard_ms + rule.cooldown_ms:
            return Decided(_with(seen, muted=True))
        if rule.dwell_ms:
            return Decided(_with(seen, pending=transition))
        return Decided(_heard(rule, seen, transition), (transition,))
    erased = transition.cause == "erasure"  # nothing is kept of somebody who is
    if stay is not None and stay.muted:
        return Decided(None if erased else _kept(rule, seen))
    if stay is not None and stay.pending is not None:
        if transition.at_ms < stay.pending.at_ms + rule.dwell_ms:
            return Decided(None if erased else _kept(rule, seen))
        return Decided(None if erased else _heard(rule, seen, stay.pending), (stay.pending, transition))
    return Decided(None if erased else _kept(rule, seen), (transition,))


def due_ms(rule: Subscription, stay: Stay) -> int | None:
    """When `fire` has to be asked; None: never, an exit will come."""
    if stay.pending is not None:
        return stay.pending.at_ms + rule.dwell_ms
    if stay.muted or stay.heard_ms is None:
        return None
    return stay.heard_ms + rule.cooldown_ms


def fire(rule: Subscription, stay: Stay, now_ms: int) -> Decided:
    """At its due time: an entry that waited long enough is heard, and what matters no more is forgotten."""
    due = due_ms(rule, stay)
    if due is None or now_ms < due:
        return Decided(stay)
    if stay.pending is None:
        return Decided(None)
    return Decided(_heard(rule, stay, stay.pending), (stay.pending,))


def _with(stay: Stay, pending: Transition | None = None, muted: bool = False) -> Stay:
    return Stay(stay.sequence, stay.at_ms, pending, muted, stay.heard_ms)


def _heard(rule: Subscription, stay: Stay, entry: Transition) -> Stay | None:
    return Stay(stay.sequence, stay.at_ms, None, False, entry.at_ms) if rule.cooldown_ms else None


def _kept(rule: Subscription, stay: Stay) -> Stay | None:
    return stay if rule.cooldown_ms and stay.heard_ms is not None else None
