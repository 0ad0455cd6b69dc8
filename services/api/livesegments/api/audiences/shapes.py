"""An audience as a body has it, checked against the workspace's segments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from livesegments.api.context import Context
from livesegments.api.members.members import MemberFields
from livesegments.api.web import shapes
from livesegments.api.web.problems import FaultOut, Problem, quoted
from livesegments.api.web.texts import Name, SegmentId
from livesegments.core import audience as core
from livesegments.core.check import check
from livesegments.core.definition import Bucket
from livesegments.core.fault import Fault
from livesegments.wire.catalog import Workspace

MOST_SEGMENTS = 20
MOST_PARTS = 100

Optional = SkipJsonSchema[None]


class ConsentIn(shapes.In):
    """What the profiles must have consented to: exactly this pair of channel and topic."""

    channel: Name | Optional = Field(None, description="`email`, `sms` and so on.")
    topic: Name | Optional = Field(
        None, description="What is written about; channel, topic or both are given."
    )
    state: Literal["opted_in", "not_opted_out", "any"] = Field(
        "opted_in", description="`not_opted_out`: also those who have said nothing."
    )
    suppress: bool = Field(
        True,
        description="Leave out who has opted out of the channel as a whole, of the topic as a whole or of "
        "the pair, whatever `state` says.",
    )


class BucketIn(shapes.In):
    """A stable share of the profiles, as in the condition `bucket`."""

    salt: Name = Field(description="Buckets of one salt that don't overlap share nobody.")
    from_: float = Field(alias="from", ge=0, le=100, description="In hundredths of all profiles.")
    to: float = Field(ge=0, le=100, description="Those from `from` on, and below this.")


class PartIn(shapes.In):
    """One of several parts that together are the whole, and share nobody."""

    number: int = Field(ge=1, le=MOST_PARTS, description="From 1.")
    of: int = Field(ge=1, le=MOST_PARTS, description="How many parts there are.")
    salt: Annotated[str, Field(max_length=200)] = Field("", description="Another salt makes other parts.")


class AudienceIn(shapes.In):
    """In any (or all) of `include`, in none of `exclude`, with this consent, in this bucket and this part."""

    include: list[SegmentId] = Field(
        min_length=1, max_length=MOST_SEGMENTS, description="Ids of segments, dynamic or static."
    )
    exclude: list[SegmentId] = Field(
        default_factory=list, max_length=MOST_SEGMENTS, description="Ids of segments that nobody is in."
    )
    match: Literal["any", "all"] = Field("any", description="Of the segments of `include`.")
    consent: ConsentIn | Optional = Field(None, description="What they consented to; without it: no matter.")
    bucket: BucketIn | Optional = Field(None, description="Only a stable share of them.")
    part: PartIn | Optional = Field(None, description="Only one of several stable parts.")


class AdviceOut(BaseModel):
    """How a send of this size is best made, by the thresholds of the installation's settings."""

    size: core.Size = Field(description="`split`: more than one large send.")
    parts: int = Field(description="In how many parts; 1 unless `size` is `split`.")


class AudienceCountOut(BaseModel):
    """Of now: while members come and go, of not quite one instant."""

    count: int = Field(description="How many profiles are in it.")
    advice: AdviceOut = Field(description="How a send of this size is best made.")
    warnings: list[FaultOut] = Field(description="Segments that are still built (`building`).")


class AudiencePageOut(BaseModel):
    """A page of an audience. It may have fewer members than `limit`, even none: `next_cursor` says whether
    there are more."""

    members: list[str] = Field(description="Ids of profiles.")
    fields: list[MemberFields] = Field(
        [], description="One for every member of the page, in the same order; absent without `fields`."
    )
    next_cursor: str | None
    warnings: list[FaultOut] = Field(
        description="Segments and computed attributes that are still built (`building`)."
    )


async def taken(
    context: Context, workspace: Workspace, given: AudienceIn, where: str = "/audience"
) -> core.Audience:
    """Raises Problem 422 for segments that the workspace has not, and for a bucket or a part that is none."""
    segments = (await context.catalog.segments(workspace.id)).segments
    faults = [
        Fault(f"{where}/{name}/{at}", "unknown_segment", f"there is no segment {quoted(id_)} here")
        for name, ids in (("include", given.include), ("exclude", given.exclude))
        for at, id_ in enumerate(ids)
        if id_ not in segments
    ]
    if given.consent is not None and given.consent.channel is None and given.consent.topic is None:
        faults.append(Fault(f"{where}/consent", "missing", "names neither a channel nor a topic: give one"))
    bucket = None
    if given.bucket is not None:
        document = {"type": "bucket", **given.bucket.model_dump(by_alias=True)}
        bucket, wrong = check(document)
        faults += [
            msgspec.structs.replace(fault, pointer=f"{where}/bucket{fault.pointer}") for fault in wrong
        ]
    if given.part is not None and given.part.number > given.part.of:
        faults.append(Fault(f"{where}/part/number", "too_large", f"there are {given.part.of} parts"))
    if faults:
        raise Problem(422, f"{len(faults)} fault(s) in the request.", faults)
    assert bucket is None or isinstance(bucket, Bucket)
    return core.Audience(
        tuple(dict.fromkeys(given.include)),
        tuple(dict.fromkeys(given.exclude)),
        given.match,
        None if given.consent is None else core.Consenting(**given.consent.model_dump()),
        bucket,
        None if given.part is None else core.Part(**given.part.model_dump()),
    )


async def building(context: Context, workspace: Workspace, audience: core.Audience) -> list[Fault]:
    """A warning for each of its segments that is still built."""
    segments = (await context.catalog.segments(workspace.id)).segments
    ids = [id_ for id_ in (*audience.include, *audience.exclude) if id_ in segments]
    versions = {id_: segments[id_].definition_version for id_ in ids}
    sizes = await context.members.sizes(workspace.id, versions, workspace.timezone)
    return [
        Fault("/audience", "building", f"segment {quoted(id_)} is still built: some members may be missing")
        for id_ in ids
        if sizes[id_].progress.state == "building"
    ]


def shown(audience: core.Audience) -> dict[str, Any]:
    """As a body has it."""
    made: dict[str, Any] = {"include": list(audience.include), "exclude": list(audience.exclude)}
    made["match"] = audience.match
    if audience.consent is not None:
        made["consent"] = {
            key: value for key, value in msgspec.to_builtins(audience.consent).items() if value is not None
        }
    if audience.bucket is not None:
        share = msgspec.to_builtins(audience.bucket)
        made["bucket"] = {key: share[key] for key in ("salt", "from", "to")}
    if audience.part is not None:
        made["part"] = msgspec.to_builtins(audience.part)
    return made
