"""The bodies of requests and answers about segments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic.config import JsonDict

from livesegments.api.segments.trial_shapes import TESTS, Tests
from livesegments.api.web.problems import COMPONENT, VARIANT
from livesegments.api.web.shapes import CONDITION, Definition, Done, In, Instant, Labels, State
from livesegments.api.web.texts import Description, Folder, Name, SegmentId, fault

DYNAMIC, STATIC = f"{VARIANT}dynamic", f"{VARIANT}static"
FOLDER = "The folder that it lies in, as a path: `Campaigns/Spring`, say. Empty: in none."
TOPICS = "What sends to it are about, as subscribers know it: `newsletter`, say."
EXAMPLE: JsonDict = {
    "name": "Recent buyers",
    "definition": {"type": "event", "name": "order_placed", "window": {"last": "30d"}},
}
Test = Annotated[dict[str, Any], WithJsonSchema({COMPONENT: "DefinitionTest"})]
"""As it was written."""


def _known(type_: Any) -> Any:
    if type_ not in ("dynamic", "static"):
        raise fault("unknown_value", "must be 'dynamic' or 'static'")
    return type_


class NewDynamic(In):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Name
    definition: Definition
    id: SegmentId | None = Field(None, description="Chosen by us where it isn't given.")
    type: Annotated[Literal["dynamic"], BeforeValidator(_known)] = "dynamic"
    description: Description = ""
    tags: Labels = Field([])
    folder: Folder = Field("", description=FOLDER)
    topics: Labels = Field([], description=TOPICS)
    tests: Tests = Field([], description=TESTS)


class NewStatic(In):
    name: Name
    type: Literal["static"]
    id: SegmentId | None = Field(None, description="Chosen by us where it isn't given.")
    definition: None = None
    description: Description = ""
    tags: Labels = Field([])
    folder: Folder = Field("", description=FOLDER)
    topics: Labels = Field([], description=TOPICS)


def _kind(body: Any) -> str:
    given = body.get("type") if isinstance(body, dict) else None
    return STATIC if given == "static" else DYNAMIC


NewSegment = Annotated[
    Annotated[NewDynamic, Tag(DYNAMIC)] | Annotated[NewStatic, Tag(STATIC)], Discriminator(_kind)
]


class SegmentPatch(In):
    """JSON merge patch (RFC 7396): what isn't named stays; null empties all but name and definition."""

    name: Name = Field(default_factory=str)
    definition: Definition = Field(default_factory=lambda: None)
    description: Description | None = None
    tags: Labels | None = None
    folder: Folder | None = Field(None, description=FOLDER)
    topics: Labels | None = Field(None, description=TOPICS)
    tests: Tests | None = Field(None, description=TESTS)


class SegmentOut(BaseModel):
    id: SegmentId
    name: str
    type: Literal["dynamic", "static"]
    description: str
    tags: list[str]
    folder: str = Field(description=FOLDER)
    topics: list[str] = Field(description=TOPICS)
    tests: list[Test] = Field(description=TESTS)
    definition: Annotated[Any, WithJsonSchema({"anyOf": [CONDITION, {"type": "null"}]})] = Field(
        description="Null for a static segment."
    )
    version: int = Field(description="Counts every edit; the ETag.")
    definition_version: int = Field(description="Counts edits of the definition; transitions carry it.")
    created_at: Instant
    updated_at: Instant
    archived_at: Instant | None = Field(description="Since when it is put aside; null: it isn't.")
    count: int = Field(description="Members now.")
    state: State
    progress: Done
    complete_since: Instant | None = Field(
        description="Events are counted from then on; null: all there ever were."
    )
    rule: str | None = Field(
        description="The id of the rule that made it, or whose own it is (`/v1/segment-rules`); null: none."
    )


class Segments(BaseModel):
    segments: list[SegmentOut]
    next_cursor: str | None = None


class Count(BaseModel):
    count: int
