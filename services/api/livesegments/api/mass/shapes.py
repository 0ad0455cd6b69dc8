"""Mass jobs as bodies have them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from livesegments.api.audiences.shapes import AudienceIn
from livesegments.api.mass.work import Action
from livesegments.api.web import shapes
from livesegments.api.web.problems import Problem
from livesegments.api.web.texts import Label, Name, ProfileId
from livesegments.core import ids
from livesegments.core.declared import Declarations
from livesegments.core.fault import Fault, join, kind_name
from livesegments.core.typed import Misfit, read
from livesegments.core.value import kind

MOST_IDS = 10_000
MOST_ATTRIBUTES = 100
MOST_ITEMS = 1_000
MAX_TEXT = 8_000
RESERVED = frozenset({"tags", "consent", "score", "groups", "lists"})
Optional = SkipJsonSchema[None]


class MassTags(shapes.In):
    """Tags that every profile gets, and those that are taken off."""

    add: Annotated[list[Label], Field(max_length=50)] = Field([], description="They get these.")
    remove: Annotated[list[Label], Field(max_length=50)] = Field([], description="These are taken off.")


class MassIn(shapes.In):
    """What is to be done to whom: `audience` (of one segment, `include` names it alone) or `profiles`."""

    action: Action = Field(
        description="`update` sets attributes and tags, `delete` erases the profiles, `reset_score` sets "
        "the score to 0."
    )
    audience: AudienceIn | Optional = Field(None, description="Whom it is about.")
    profiles: Annotated[list[ProfileId], Field(min_length=1, max_length=MOST_IDS)] | Optional = Field(
        None, description="Ids of profiles, instead of an audience."
    )
    attributes: Annotated[dict[str, Any], Field(max_length=MOST_ATTRIBUTES)] = Field(
        {}, description="Of `update`: attributes and their new values; null takes one away."
    )
    tags: MassTags | Optional = Field(None, description="Of `update`.")
    reason: Name | Optional = Field(None, description="Of `reset_score`: it is in every profile's timeline.")
    keep_out: bool = Field(
        False,
        description="Of `delete`: later events of these profiles are dropped, as after an erasure. Else they "
        "are new profiles when they come again.",
    )


class MassStart(MassIn):
    """The same, with the token that its count was answered with."""

    confirm: str = Field(min_length=1, max_length=64, description="`confirm` of `POST /v1/mass-jobs/count`.")


class MassCount(BaseModel):
    """How many profiles it would be about. Nothing has been done."""

    count: int = Field(description="How many profiles there are now.")
    confirm: str = Field(
        description="Begins just this job (`POST /v1/mass-jobs`), once, of no more profiles than these."
    )
    expires_at: shapes.Instant = Field(description="Until then.")


class MassJobOut(BaseModel):
    """How far a job is."""

    id: str = Field(description="The id of the job.")
    action: Action = Field(description="What it does.")
    state: Literal["waiting", "running", "done", "failed"] = Field(
        description="`running` (another process goes on where the one that did it died), `done`: all is "
        "accepted, and applied within moments."
    )
    reason: str | None = Field(description="Why it failed, or why it waits.")
    done: int = Field(description="So many profiles were changed so far.")
    total: int = Field(description="So many were confirmed; no more are changed.")
    audience: dict[str, Any] | None = Field(description="Whom it is about; null: a list of ids.")
    begun_at: shapes.Instant = Field(description="When it was begun.")
    ended_at: shapes.Instant | None = Field(description="When it was `done` or `failed`.")


class MassJobsOut(BaseModel):
    """The workspace's mass jobs of the last day."""

    jobs: list[MassJobOut] = Field(description="The newest first.")


def change_of(given: MassIn, declared: Declarations) -> dict[str, Any]:
    """What is sent for every profile. Raises Problem 422 with all faults."""
    faults: list[Fault] = []
    if (given.audience is None) == (given.profiles is None):
        faults.append(Fault("", "conflict", "needs one of 'audience' and 'profiles'"))
    allowed = {"update": {"attributes", "tags"}, "delete": {"keep_out"}, "reset_score": {"reason"}}
    for field in sorted({"attributes", "tags", "keep_out", "reason"} & given.model_fields_set):
        if field not in allowed[given.action]:
            faults.append(Fault(f"/{field}", "conflict", f"says nothing to the action '{given.action}'"))
    change: dict[str, Any] = {}
    if given.action == "update":
        attributes = {
            name: _value(declared, name, value, join("/attributes", name), faults)
            for name, value in given.attributes.items()
        }
        if attributes:
            change["attributes"] = attributes
        if given.tags is not None and (given.tags.add or given.tags.remove):
            change["tags"] = {"add": given.tags.add, "remove": given.tags.remove}
        if not change:
            told = "nothing is to be changed: name attributes or tags"
            faults.append(Fault("/attributes", "missing", told))
    elif given.action == "reset_score":
        change["score"] = {"reset": True}
        if given.reason is None:
            faults.append(Fault("/reason", "missing", "say why: it stands in every profile's timeline"))
        else:
            change["score"]["reason"] = given.reason
    if faults:
        raise Problem(422, f"{len(faults)} fault(s) in the request.", faults)
    return change


def _value(declared: Declarations, name: str, value: Any, at: str, faults: list[Fault]) -> Any:
    """As it is kept."""
    if (wrong := ids.fault_of(name)) is not None:
        faults.append(Fault(at, *wrong))
    if name in RESERVED:
        faults.append(Fault(at, "reserved_name", f"{name!r} is no attribute"))
    try:
        value = read(declared[name], value) if name in declared else value
    except Misfit as misfit:
        faults.append(Fault(at, "wrong_type", f"is declared a {declared[name].type}: {misfit}"))
        return value
    if isinstance(value, dict):
        if value.keys() != {"lat", "lon"} or any(kind(each) != "number" for each in value.values()):
            faults.append(Fault(at, "wrong_type", "must be a value, a list or a point {lat, lon}"))
        return value
    for item in value if isinstance(value, list) else [value]:
        if item is not None and kind(item) not in ("string", "boolean", "number"):
            told = f"must be a text, a number, true or false, a list of them or null, not {kind_name(item)}"
            faults.append(Fault(at, "wrong_type", told))
            break
        if isinstance(item, str) and len(item) > MAX_TEXT:
            told = f"has {len(item)} characters; at most {MAX_TEXT} are allowed"
            faults.append(Fault(at, "too_long", told))
    if isinstance(value, list) and len(value) > MOST_ITEMS:
        faults.append(Fault(at, "too_long", f"has {len(value)} items; at most {MOST_ITEMS} are allowed"))
    return value
