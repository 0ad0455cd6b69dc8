"""`POST /v1/profiles/read`: chosen values of up to 1,000 profiles in one request.

`{"profiles": ["ann", "bob"], "fields": ["email"], "parts": ["consent"]}` gives ann's and bob's address and
what they consented to; who isn't known stands in `unknown`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter, Response
from msgspec import UNSET, Struct, UnsetType
from pydantic import BaseModel, Field

from livesegments.api.context import Ctx
from livesegments.api.members.validity import entered
from livesegments.api.profiles.profiles import ConsentOut
from livesegments.api.profiles.values import MOST, Fields, check, fields_of
from livesegments.api.web import shapes, times
from livesegments.api.web.answers import Consent, consent_of, written
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import FaultOut, responses
from livesegments.api.web.route import Route
from livesegments.api.web.texts import AttributeName
from livesegments.core.fault import Fault
from livesegments.core.profile import Profile

Part = Literal["tags", "consent", "groups", "segments"]

router = APIRouter(prefix="/v1/profiles", tags=["profiles"], route_class=Route, responses=responses(401, 403))


class Asked(shapes.In):
    """Which profiles, and what of them."""

    profiles: shapes.ProfileIds
    fields: list[AttributeName] = Field(
        default_factory=list,
        max_length=MOST,
        description="Names of attributes, or `computed:` and the id of a computed attribute.",
        examples=[["email", "computed:spent"]],
    )
    parts: list[Part] = Field(
        default_factory=list, max_length=4, description="What else: tags, consent, groups, segments."
    )


class ReadSegmentOut(BaseModel):
    """A segment that the profile is in."""

    id: str
    entered_at: shapes.Instant


class ReadOut(BaseModel):
    """What was asked for of one profile; what was not asked for is absent."""

    profile: str
    fields: dict[str, Any] = Field(
        description="Name → value; a name that the profile has no value for is left out."
    )
    tags: list[str] = Field([], description="Sorted.")
    consent: list[ConsentOut] = []
    groups: list[str] = []
    segments: list[ReadSegmentOut] = Field([], description="Sorted by id.")
    merged_into: str | None = Field(
        None, description="The profile that this one was merged into; then nothing else is known of it."
    )


class ReadAllOut(BaseModel):
    """In the order asked for, each profile once."""

    profiles: list[ReadOut]
    unknown: list[str] = Field(description="Ids that are no profile's.")
    warnings: list[FaultOut] = Field(
        description="The computed attributes that are still given their history (`building`)."
    )


class InSegment(Struct):
    id: str
    entered_at: str


class Read(Struct, omit_defaults=True):
    profile: str
    fields: Mapping[str, Any]
    tags: list[str] | UnsetType = UNSET
    consent: list[Consent] | UnsetType = UNSET
    groups: list[str] | UnsetType = UNSET
    segments: list[InSegment] | UnsetType = UNSET
    merged_into: str | UnsetType = UNSET


class ReadAll(Struct):
    profiles: list[Read]
    unknown: list[str]
    warnings: list[Fault]


@router.post("/read", response_model=ReadAllOut, responses=responses(400, 413, 415))
async def read_profiles(context: Ctx, workspace: Reading, asked: Asked) -> Response:
    """Chosen attributes, computed attributes and parts of up to 1,000 profiles."""
    await check(context, workspace, asked.fields, "/fields")
    ids = list(dict.fromkeys(asked.profiles))

    async def read() -> tuple[dict[str, Profile], tuple[list[Fields], list[Fault]]]:
        states = await context.profiles.get(workspace.id, ids)
        known = [id_ for id_ in ids if id_ in states]
        return states, await fields_of(context, workspace, asked.fields, known, "/fields")

    states, (values, warnings) = await context.heads.whole(read)
    found = [_read(states[each.profile], Read(each.profile, each.fields), asked.parts) for each in values]
    return written(ReadAll(found, [id_ for id_ in ids if id_ not in states], warnings))


def _read(state: Profile, made: Read, parts: list[Part]) -> Read:
    if state.kin is not None and state.kin.into is not None:
        return Read(made.profile, {}, merged_into=state.kin.into)
    if "tags" in parts:
        made.tags = sorted(tag for tag, register in state.tags.items() if register.value)
    if "consent" in parts:
        made.consent = consent_of(state)
    if "groups" in parts:
        made.groups = state.groups
    if "segments" in parts:
        made.segments = [InSegment(id_, times.iso(since)) for id_, since in sorted(entered(state).items())]
    return made
