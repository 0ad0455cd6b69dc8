"""How far a partition has adopted a workspace's definitions: written by its evaluator in its commits.

Three things are kept, all as JSON. `Kept` belongs to a fact: from when the partition keeps it, and up to
which commit it still wants history. `Served` belongs to a segment: the definition that is served, which an
edit in the catalogue does not change before the new one is complete. `Stage` belongs to a workspace: the
number of its last adoption, and how far its facts have been given their history.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from livesegments.core.definition import Node
from livesegments.core.plan import Segment

SWITCHES = 100
"""Of a segment so many versions are noted: as many definitions are kept."""


class Kept(Struct, frozen=True, omit_defaults=True):
    """A fact is kept live from adoption `revision` on.

    since_ms   events before that instant are not in it; None where nothing is missing
    upto       history up to this commit is still to be given to it; None where that is done
    """

    revision: int
    since_ms: int | None = None
    upto: int | None = None


class Switch(Struct, frozen=True, array_like=True):
    """From an instant of the partition's clock (ms) on, in the commits after `commit`, `version` was served;
    None: an earlier release, which didn't note when, took it up."""

    version: int
    since_ms: int | None
    commit: int | None = None


class Served(Struct, frozen=True, omit_defaults=True):
    """A definition as it is served: its version, the catalogue's revision, and the adoption that took it up.

    adoption     the number of the adoption from which on it is served
    backfilled   it waited for its history before it was served
    since_ms, commit   as in `Switch`
    before       what was served before, the newest first; of static segments only static ones
    """

    version: int
    revision: int
    adoption: int
    backfilled: bool = False
    definition: Node | None = None
    since_ms: int | None = None
    commit: int | None = None
    before: tuple[Switch, ...] = ()

    def segment(self, id_: str) -> Segment:
        return Segment(id_, self.version, self.revision, self.definition)

    def following(self, old: Served) -> Served:
        """With what was served before. A list has nothing of a dynamic segment that had its id."""
        if old.version == self.version:
            return replace(self, since_ms=old.since_ms, commit=old.commit, before=old.before)
        same = (old.definition is None) == (self.definition is None)
        return replace(self, before=old.switches[: SWITCHES - 1]) if same else self

    @property
    def switches(self) -> tuple[Switch, ...]:
        """What has been served, the newest first."""
        return Switch(self.version, self.since_ms, self.commit), *self.before


class Filling(Struct, frozen=True):
    """The facts being given their history, and the last profile, in sorted order, that has it."""

    facts: tuple[int, ...]
    after: str = ""
    done: int = 0


class Stage(Struct, frozen=True, omit_defaults=True):
    """`revision` numbers the adoptions of a workspace in a partition; `timezone` is the one served.

    `walked`: the adoption to which the last walk that came to its end brought every stored profile.
    """

    revision: int
    timezone: str
    filling: Filling | None = None
    walked: int = -1


_encode = msgspec.json.Encoder().encode
_kept = msgspec.json.Decoder(Kept)
_served = msgspec.json.Decoder(Served)
_stage = msgspec.json.Decoder(Stage)


def encode(value: Kept | Served | Stage) -> bytes:
    return _encode(value)


def decode_kept(data: bytes) -> Kept:
    """Also the form of earlier versions, "REVISION SINCE_MS", where `-` stood for nothing missing."""
    if data.startswith(b"{"):
        return _kept.decode(data)
    revision, since = data.decode().split(" ")
    return Kept(int(revision), None if since == "-" else int(since))


def decode_served(data: bytes) -> Served:
    return _served.decode(data)


def decode_stage(data: bytes) -> Stage:
    return _stage.decode(data)
