"""What notify notes of a subscription, and the api shows: attempts, dead letters, why it was disabled."""

from __future__ import annotations

from msgspec import Struct

from livesegments.core.event import Transition


class Attempt(Struct, frozen=True):
    """One try to deliver message `id`. `status` is the receiver's answer; None: there was none, and `error`
    says why. `ms` is how long it took."""

    id: str
    at_ms: int
    ms: int
    status: int | None
    error: str = ""


class Dead(Struct, frozen=True):
    """A message that was tried as often as the schedule says. `error` is of the last attempt."""

    id: str
    at_ms: int
    attempts: int
    transitions: list[Transition]
    status: int | None = None
    error: str = ""


class Disabled(Struct, frozen=True):
    """By the receiver's 410, at the subscription's `enabling`."""

    enabling: int
    at_ms: int
