"""The records of topic `identities`: which profile has gone into which, the latest of each.

The key is `WORKSPACE NUL PROFILE`. An empty value says that the profile is there itself.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from livesegments.wire.profilekey import profile_key


class Identity(Struct, frozen=True):
    """`into`: where the profile has gone by the event `event_id`; None: it is there itself (again)."""

    workspace: str
    profile: str
    into: str | None
    event_id: str


def key_of(identity: Identity) -> bytes:
    return profile_key(identity.workspace, identity.profile).encode()


def encode(identity: Identity) -> bytes | None:
    """JSON; None is a record without a value."""
    return None if identity.into is None else msgspec.json.encode(identity)
