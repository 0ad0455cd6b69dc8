"""The caller of a request, the workspace that it acts in, and whether it may.

A key is `Authorization: Bearer KEY`. It belongs to one workspace and has scopes; an admin key belongs to
none, has every scope, and says with `X-Workspace` where it acts.
"""

from __future__ import annotations

import re
from hmac import compare_digest
from secrets import token_hex
from typing import Annotated

from fastapi import Depends, Header, Request
from msgspec import Struct
from msgspec.structs import replace

from livesegments.api.context import Context
from livesegments.api.web.problems import Problem, not_found
from livesegments.store.actor import Actor, act_as
from livesegments.store.audit_log import KEY_ID_LENGTH
from livesegments.store.catalog import digest, see_once
from livesegments.store.whole import EVERYONE
from livesegments.wire.catalog import Scope, Workspace

SCHEME = "HTTPBearer"
SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key of a workspace, or an admin key.",
}
"""For OpenAPI."""

REQUEST_ID = "X-Request-Id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,64}")

Chosen = Annotated[
    str | None,
    Header(
        alias="X-Workspace",
        max_length=64,
        description="Admin keys only: the id of the workspace to act in.",
    ),
]


class Caller(Struct, frozen=True):
    """`workspace` is `*` for an admin."""

    workspace: str
    scopes: frozenset[str]

    @property
    def is_admin(self) -> bool:
        return "admin" in self.scopes and self.workspace == EVERYONE


async def caller(request: Request) -> Caller:
    """Called, not depended on: every dependency costs FastAPI as much as the whole check of a key."""
    see_once()
    context: Context = request.app.state.context
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise _unknown("Give a key: `Authorization: Bearer KEY`.")
    admin = context.settings.admin_key
    if admin and compare_digest(secret.encode(), admin.encode()):
        act_as(Actor("admin", request=request_id(request)))
        return Caller(EVERYONE, frozenset({"admin"}))
    key = await context.catalog.key(digest(secret))
    if key is None:
        await context.catalog.whole()
        key = await context.catalog.key(digest(secret))  # it may have been restored just now
    if key is None:
        raise _unknown("This key is not known, or was revoked.")
    act_as(Actor(key.name, key.digest[:KEY_ID_LENGTH], request_id(request)))
    return Caller(key.workspace, frozenset(key.scopes))


def request_id(request: Request) -> str:
    """As the caller named it (`X-Request-Id`), or made here; the answer and the audit log have it."""
    if not hasattr(request.state, "request_id"):
        given = request.headers.get(REQUEST_ID, "")
        request.state.request_id = given if _REQUEST_ID.fullmatch(given) else token_hex(8)
    found: str = request.state.request_id
    return found


def _unknown(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})


async def admin(request: Request) -> None:
    if not (await caller(request)).is_admin:
        raise Problem(403, "This needs an admin key.")


def _may(who: Caller, scope: Scope) -> None:
    if not who.is_admin and scope not in who.scopes:
        raise Problem(403, f"This key lacks the scope '{scope}'.")


async def _acting(request: Request, scope: Scope, chosen: str | None) -> Workspace:
    context: Context = request.app.state.context
    who = await caller(request)
    _may(who, scope)
    if not who.is_admin:
        if chosen not in (None, who.workspace):
            raise Problem(403, "This key is of another workspace.")
    elif chosen is None:
        raise Problem(403, "An admin key names the workspace to act in: `X-Workspace: ID`.")
    id_ = chosen if who.is_admin and chosen is not None else who.workspace
    workspace = await context.catalog.workspace(id_)
    if workspace is None:
        await context.catalog.whole()
        workspace = await context.catalog.workspace(id_)
    if workspace is None:
        raise not_found("workspace", id_)
    return workspace


async def _reading(request: Request, chosen: Chosen = None) -> Workspace:
    return await _acting(request, "read", chosen)


async def _writing(request: Request, chosen: Chosen = None) -> Workspace:
    """With the quotas that hold for it, its own or those of the settings."""
    context: Context = request.app.state.context
    workspace = await _acting(request, "write", chosen)
    return replace(workspace, quotas=workspace.quotas.over(context.quotas))


def _within(who: Caller, scope: Scope, chosen: str | None) -> str | None:
    """The workspace whose refusals the caller may see; None is every workspace.

    A workspace that an admin names need not exist: what was refused may name any."""
    _may(who, scope)
    if who.is_admin:
        return chosen
    if chosen not in (None, who.workspace):
        raise Problem(403, "This key is of another workspace.")
    return who.workspace


async def _seeing(request: Request, chosen: Chosen = None) -> str | None:
    return _within(await caller(request), "read", chosen)


async def _replaying(request: Request, chosen: Chosen = None) -> str | None:
    return _within(await caller(request), "operate", chosen)


async def _watching(request: Request) -> None:
    """How far all partitions are tells nothing of any workspace's profiles or segments."""
    _may(await caller(request), "read")


async def _operating(request: Request) -> None:
    """What concerns all workspaces: a tenant's key has that scope only if an admin gave it."""
    _may(await caller(request), "operate")


Admin = Depends(admin)
Operating = Depends(_operating)
Watching = Depends(_watching)
Seeing = Annotated[str | None, Depends(_seeing)]
Replaying = Annotated[str | None, Depends(_replaying)]
Reading = Annotated[Workspace, Depends(_reading)]
Writing = Annotated[Workspace, Depends(_writing)]
