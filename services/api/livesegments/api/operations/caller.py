"""The key that a request carries, for whoever holds it: a console offers only what the key may do."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from livesegments.api.web.auth import caller
from livesegments.api.web.problems import responses
from livesegments.api.web.route import Route

SCOPES = ("ingest", "read", "write", "operate")

router = APIRouter(prefix="/v1/key", tags=["workspaces"], route_class=Route, responses=responses(401, 403))


class OwnKey(BaseModel):
    """What the key opens."""

    admin: bool = Field(description="Whether it is an admin key, which acts in every workspace.")
    workspace: str | None = Field(description="The key's workspace; null for an admin key.")
    scopes: list[str] = Field(description="What the key may do; an admin key may do everything.")


@router.get("")
async def read_own_key(request: Request) -> OwnKey:
    """The key of this request: its workspace and its scopes, never its secret."""
    who = await caller(request)
    if who.is_admin:
        return OwnKey(admin=True, workspace=None, scopes=list(SCOPES))
    return OwnKey(admin=False, workspace=who.workspace, scopes=sorted(who.scopes, key=SCOPES.index))
