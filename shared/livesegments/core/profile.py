"""The state of one profile: its registers, the states of its facts, its memberships, its due times.

The evaluator stores it whole, as msgpack, and caches it decoded. `step` owns the profile that it is
given and changes it in place; a caller that needs the former state decodes it again. Whoever changes the form
raises `states.STATES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Raw, Struct

from livesegments.core.count import packed
from livesegments.core.kin import GONE, Kin
from livesegments.core.retraction import Taken

Stamp: TypeAlias = tuple[int, str]
"""(time in ms, event id): the order of everything."""


Increment: TypeAlias = tuple[int, str, int | float | str]
"""(time in ms, event id, amount) of the score."""

if TYPE_CHECKING:
    Facts: TypeAlias = dict[int, Any]
    Increments: TypeAlias = list["Increment"] | Raw
else:
    Facts = dict[int, Raw]  # what msgspec is to decode: nothing of a state
    Increments = Raw


class Register(Struct, array_like=True):
    """The latest value by (time, event id), whatever the order of arrival."""

    value: Any
    time_ms: int
    event_id: str


WAITING = "?"
"""Begins the key of a list's register that waits for its segment; no segment's id begins so."""


class ListRegister(Register, array_like=True):
    """Whether the profile is on the list of a static segment, of its version `version`.

    A segment that is deleted and made anew has a higher version, and its list begins empty: the highest
    version wins, then the latest write. 0: the segment was not there yet, so its next version is meant;
    such a register has a key of its own, until then."""

    version: int = 0


class Membership(Struct, array_like=True):
    """`sequence` transitions so far in this segment; in since `entered_ms`, or out if that is None."""

    sequence: int
    entered_ms: int | None


class Profile(Struct, array_like=True):
    """`plan` is the catalogue revision under which it was last stepped.

    facts        fact id → state: still encoded, or since it was first asked for (`kind.held`) as the fact's
                 kind keeps it; what stays encoded is stored again as it is
    dues         fact id, or attribute name → next instant the clock alone may change it
    memberships  segment id → only of segments it is or ever was in
    seen         the event ids that would be repeats (module `dedup`)
    removed      attribute → the latest removal, which its parts (`address.city`) go with (module `parts`)
    attribute_bytes  what names and values of attributes take (module `bounds`); −1: not measured yet
    increments   score increments after the score register, sorted; an amount that no number holds exactly is
                 a decimal as text. Still encoded until a score is written (`registers.increments`)
    taken        the events that were taken back; None while there are none
    kin          where it has gone, and who has gone into it (module `kin`); None: nobody
    increased    the exact sum of the increments, in the form of an amount; None: not added up yet
    number       among its workspace's profiles in its partition, as long as it is there; 0: not stored yet
    """

    plan: int = -1
    attributes: dict[str, Register] = {}
    tags: dict[str, Register] = {}
    consent: dict[str, Register] = {}
    lists: dict[str, ListRegister] = {}
    groups: list[str] = []
    score: Register | None = None
    increments: Increments = []
    facts: Facts = {}
    dues: dict[int | str, int] = {}
    memberships: dict[str, Membership] = {}
    seen: bytes = b""
    removed: dict[str, Stamp] = {}
    attribute_bytes: int = -1
    taken: Taken | None = None
    kin: Kin | None = None
    increased: int | float | str | None = None
    number: int = 0

    @property
    def gone(self) -> bool:
        """Whether it has gone into another profile."""
        return self.plan == GONE

    @property
    def wake_at(self) -> int | None:
        """The earliest instant (ms) at which the clock alone may change this profile."""
        return min(self.dues.values()) if self.dues else None


_encoder = msgspec.msgpack.Encoder(enc_hook=packed)

encode: Callable[[Profile], bytes] = _encoder.encode
decode: Callable[[bytes], Profile] = msgspec.msgpack.Decoder(Profile).decode
"""A profile as it is stored, and back. Every event goes through both, so no function of ours lies between."""


def encoded(facts: dict[int, Any]) -> bytes:
    """States of facts, as a profile has them."""
    return _encoder.encode(facts)


ANY_TAG = ""
"""Under this key, which is no tag's name, stands whoever asks for any tag at all."""


def consent_key(channel: str | None, topic: str | None) -> str:
    """The register of a pair of channel and topic, either of which may be absent."""
    return f"{channel or ''}\0{topic or ''}"
