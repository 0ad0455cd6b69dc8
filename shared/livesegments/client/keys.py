"""The keys of a workspace. All but `own` need an admin key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from livesegments.client.request import Request, delete, get, post

Scope = Literal["ingest", "read", "write", "operate"]


class OwnKey(Struct, kw_only=True, frozen=True):
    """What the key opens."""

    admin: bool
    """Whether it is an admin key, which acts in every workspace."""
    workspace: str | None
    """The key's workspace; null for an admin key."""
    scopes: list[str]
    """What the key may do; an admin key may do everything."""


class MadeKey(Struct, kw_only=True, frozen=True):
    """A new key, with its secret."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    scopes: list[str]
    """What the key may do."""
    created_at: datetime
    """When it was created."""
    key: str
    """The secret. It is shown this once: only its SHA-256 is kept."""


class Keys(Struct, kw_only=True, frozen=True):
    """The keys of a workspace."""

    keys: list[Key]
    """The keys of the workspace, the oldest first."""


class Key(Struct, kw_only=True, frozen=True):
    """`id` is the beginning of the key's digest."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    scopes: list[str]
    """What the key may do."""
    created_at: datetime
    """When it was created."""


@get("/v1/key")
def own() -> Request[OwnKey]:
    """The client's own key: its workspace and its scopes. Any key may ask."""
    ...


@get("/v1/workspaces/{id}/keys")
def read_all(id: str) -> Request[Keys]:
    """Without their secrets."""
    ...


@post("/v1/workspaces/{id}/keys")
def create(id: str, name: str, scopes: Sequence[Scope]) -> Request[MadeKey]:
    """The secret is answered this once. It is never sent again by itself: a second key would be made."""
    ...


@delete("/v1/workspaces/{id}/keys/{key_id}")
def revoke(id: str, key_id: str) -> Request[None]:
    """From now on it opens nothing."""
    ...
