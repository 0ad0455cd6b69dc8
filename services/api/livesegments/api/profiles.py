"""A profile: its attributes, tags, consents and groups, and the segments that it is in."""

from __future__ import annotations

from fastapi import APIRouter

from livesegments.api import shapes, times
from livesegments.api.auth import Reading
from livesegments.api.context import Ctx
from livesegments.api.members import ProfilePath
from livesegments.api.problems import not_found, responses
from livesegments.api.route import Route
from livesegments.api.validity import entered, next_changes
from livesegments.core.profile import Profile

router = APIRouter(prefix="/v1/profiles", tags=["profiles"], route_class=Route, responses=responses(401, 403))


@router.get("/{profile:path}", responses=responses(404))
async def read_profile(context: Ctx, workspace: Reading, profile: ProfilePath) -> shapes.ProfileOut:
    """Attributes, tags, consent, score, groups, and segments with `entered_at` and `valid_until`."""
    state = (await context.profiles.get(workspace.id, [profile])).get(profile)
    if state is None:
        raise not_found("profile", profile)
    snapshot = await context.catalog.segments(workspace.id)
    changes = (await next_changes(context, workspace, {profile: state}, None))[profile]
    attributes = {
        name: register.value for name, register in state.attributes.items() if register.value is not None
    }
    return shapes.ProfileOut(
        profile=profile,
        attributes=attributes,
        tags=sorted(tag for tag, register in state.tags.items() if register.value),
        consent=_consent(state),
        groups=state.groups,
        score=attributes.get("score"),
        segments=[
            shapes.ProfileSegment(
                id=id_,
                name=snapshot.segments[id_].name,
                entered_at=times.iso(since),
                valid_until=times.iso_or_none(changes.get(id_)),
            )
            for id_, since in sorted(entered(state).items())
            if id_ in snapshot.segments
        ],
    )


def _consent(state: Profile) -> list[shapes.ConsentOut]:
    found = []
    for pair, register in sorted(state.consent.items()):
        channel, _, topic = pair.partition("\0")
        found.append(shapes.ConsentOut(state=register.value, channel=channel or None, topic=topic or None))
    return found
