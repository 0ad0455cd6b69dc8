"""A profile: its attributes, tags, consents and groups, and the segments that it is in."""

from __future__ import annotations

from fastapi import APIRouter, Response

from livesegments.api import shapes
from livesegments.api.answers import known, written
from livesegments.api.auth import Reading
from livesegments.api.context import Ctx
from livesegments.api.members import ProfilePath
from livesegments.api.problems import responses
from livesegments.api.route import Route

router = APIRouter(prefix="/v1/profiles", tags=["profiles"], route_class=Route, responses=responses(401, 403))


@router.get("/{profile:path}", response_model=shapes.ProfileOut, responses=responses(404))
async def read_profile(context: Ctx, workspace: Reading, profile: ProfilePath) -> Response:
    """Attributes, tags, consent, score, groups, and segments with `entered_at` and `valid_until`."""
    return written(await known(context, workspace, profile))
