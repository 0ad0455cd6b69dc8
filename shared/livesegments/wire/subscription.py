"""A subscription: which transitions its receiver hears, when, in which form, and where they go.

Example: who enters `vip` and stays for an hour, at most once in 30 days for a profile, ten at a time, to
`https://hooks.example.com/in`. Membership knows nothing of it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from livesegments.core.event import Cause, Kind

PREFIX = "subscription:"
"""Before its id where entries of several kinds stand together."""
BOTH: tuple[Kind, ...] = ("entered", "exited")
BACKFILL: Cause = "backfill"


class Secret(Struct, frozen=True, omit_defaults=True):
    """`whsec_…`. `until_ms`: the instant at which its rotation ends; None: it is the present one."""

    secret: str
    until_ms: int | None = None


class Webhook(Struct, frozen=True, omit_defaults=True):
    """`template` is the form of the body; `mapping` belongs to the form `json` alone."""

    url: str
    secrets: tuple[Secret, ...]
    template: str = "transitions"
    mapping: dict[str, Any] | None = None


class Replay(Struct, frozen=True):
    """What is sent again: of each partition the offsets from `first` on and before `end`. `number` counts."""

    number: int
    first: tuple[int, ...]
    end: tuple[int, ...]


class Subscription(Struct, frozen=True, tag="subscription", omit_defaults=True):
    """As its author left it; `version` counts the edits.

    begin       of each partition of `memberships` the offset from which on it hears
    segments    ids; none: all
    causes      none: all but `backfill`, which has to be named or asked for by `backfill`
    dwell_ms    an entry is heard if the profile stays so long; else neither it nor the exit
    cooldown_ms an entry is heard if the last one heard is so long ago; else neither it nor the exit
    batch       transitions of a message at most; `batch_ms` after the first it goes in any case
    webhook     None: the receiver pulls
    enabling    counts how often it was enabled: who was disabled by a receiver is so for one of these
    replay      the last that was asked for
    """

    workspace: str
    id: str
    name: str
    version: int
    created_ms: int
    updated_ms: int
    begin: tuple[int, ...]
    segments: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = BOTH
    causes: tuple[Cause, ...] = ()
    backfill: bool = False
    dwell_ms: int = 0
    cooldown_ms: int = 0
    batch: int = 1
    batch_ms: int = 0
    webhook: Webhook | None = None
    paused: bool = False
    enabling: int = 0
    replay: Replay | None = None
