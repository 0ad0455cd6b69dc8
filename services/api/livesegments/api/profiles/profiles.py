"""A profile: its attributes, tags, consents and groups, and the segments that it is in."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from livesegments.api.context import Ctx
from livesegments.api.members.members import ProfilePath
from livesegments.api.web.answers import known, written
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import responses
from livesegments.api.web.route import Route
from livesegments.api.web.shapes import Instant

router = APIRouter(prefix="/v1/profiles", tags=["profiles"], route_class=Route, responses=responses(401, 403))


class ConsentOut(BaseModel):
    state: Literal["opted_in", "opted_out", "none"]
    channel: str | None
    topic: str | None


class ProfileSegment(BaseModel):
    id: str
    name: str
    entered_at: Instant
    valid_until: Instant | None


class ComputedOut(BaseModel):
    """A computed attribute of a profile."""

    value: Any = Field(description="A number, an instant, or a value of an event; null: there is none.")
    changes_at: Instant | None = Field(
        description="When the clock alone changes it, if nothing else happens; null: never."
    )


class ProfileOut(BaseModel):
    """What is known of one profile."""

    profile: str
    attributes: dict[str, Any]
    tags: list[str]
    consent: list[ConsentOut]
    groups: list[str]
    score: float | int | None
    segments: list[ProfileSegment]
    computed: dict[str, ComputedOut] = Field(
        default_factory=dict,
        description="The computed attributes by id, but for those that are still given their history.",
    )
    merged_into: str | None = Field(
        None, description="The profile that this one was merged into; then nothing else is known of it."
    )


@router.get("/{profile:path}", response_model=ProfileOut, responses=responses(404))
async def read_profile(context: Ctx, workspace: Reading, profile: ProfilePath) -> Response:
    """Attributes, tags, consent, score, groups, and segments with `entered_at` and `valid_until`."""
    return written(await known(context, workspace, profile))
