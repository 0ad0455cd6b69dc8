"""The keys of a workspace. Only admins make them."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.operations.workspaces import Id
from livesegments.api.web import times
from livesegments.api.web.auth import Admin
from livesegments.api.web.problems import Problem, not_found, responses
from livesegments.api.web.route import Route
from livesegments.api.web.shapes import In, Instant
from livesegments.api.web.texts import Name
from livesegments.store.audit_log import KEY_ID_LENGTH
from livesegments.store.catalog import digest
from livesegments.wire.catalog import Key

PREFIX = "ls_"
MAX_KEYS = 1_000
KeyScope = Literal["ingest", "read", "write", "operate"]

router = APIRouter(
    prefix="/v1/workspaces/{id}/keys",
    tags=["workspaces"],
    route_class=Route,
    dependencies=[Admin],
    responses=responses(401, 403),
)


class NewKey(In):
    name: Name
    scopes: list[KeyScope] = Field(
        min_length=1,
        max_length=4,
        description="`operate` moves the clock of all workspaces (mode `log`): for those who run it.",
    )


class KeyOut(BaseModel):
    """`id` is the beginning of the key's digest."""

    id: str
    name: str
    scopes: list[str]
    created_at: Instant


class MadeKey(KeyOut):
    key: str = Field(description="The secret. It is shown this once: only its SHA-256 is kept.")


class Keys(BaseModel):
    keys: list[KeyOut]


@router.post("", status_code=201, responses=responses(400, 404, 409, 413, 415))
async def create_key(context: Ctx, id_: Id, new: NewKey) -> MadeKey:
    """Make a key of a workspace. Its secret is answered this once; there is no `Idempotency-Key` for it,
    because then it would have to be kept."""
    await _existing(context, id_)
    if len(await context.catalog.keys(id_)) >= MAX_KEYS:
        raise Problem(409, f"A workspace has at most {MAX_KEYS} keys: revoke some.")
    secret = PREFIX + token_urlsafe(32)
    key = Key(digest(secret), id_, new.name, tuple(dict.fromkeys(new.scopes)), context.now_ms())
    await context.publisher.published(await context.catalog.put_key(key))
    return MadeKey(**_key(key).model_dump(), key=secret)


@router.get("", responses=responses(404))
async def list_keys(context: Ctx, id_: Id) -> Keys:
    """A workspace's keys, without their secrets."""
    await _existing(context, id_)
    return Keys(keys=[_key(key) for key in await context.catalog.keys(id_)])


@router.delete("/{key_id}", status_code=204, responses=responses(404))
async def revoke_key(context: Ctx, id_: Id, key_id: Annotated[str, Path(max_length=64)]) -> None:
    """Revoke a key: from now on it opens nothing."""
    await _existing(context, id_)
    found = [key for key in await context.catalog.keys(id_) if key.digest[:KEY_ID_LENGTH] == key_id]
    if not found:
        raise not_found("key", key_id)
    await context.publisher.published(await context.catalog.delete_key(found[0]))


async def _existing(context: Context, id_: str) -> None:
    if await context.catalog.workspace(id_) is None:
        raise not_found("workspace", id_)


def _key(key: Key) -> KeyOut:
    return KeyOut(
        id=key.digest[:KEY_ID_LENGTH],
        name=key.name,
        scopes=list(key.scopes),
        created_at=times.iso(key.created_ms),
    )
