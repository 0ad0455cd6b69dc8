"""Value lists: values that conditions name by reference, put and replaced as a whole."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, Field, WithJsonSchema

from livesegments.api.context import Ctx
from livesegments.api.fields import list_edits
from livesegments.api.web import cursor, shapes, times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import Route
from livesegments.api.web.texts import SegmentId
from livesegments.core.check_value import scalar
from livesegments.core.fault import Fault, Faults, join, kind_name
from livesegments.core.value_list import MAX_LISTED, MAX_LISTED_BYTES, content, named
from livesegments.store.changes import Put
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import ValueList

MAX_BODY = 2 * MAX_LISTED_BYTES
"""There may be blanks between the values, and escapes in them."""
LARGE_BODY_S = 60.0
FEW = 2
"""So many requests with a body are read and worked on at once: a list of 1,000,000 values takes some 0.3 GB
meanwhile (decision 29)."""
PATIENCE_S = 30.0
"""A further one waits at most this long for its turn; until then nothing of its body is read."""
MAX_FAULTS = 100
MOST_USERS = 1_000


class LargeRoute(Route):
    most_bytes, body_s = MAX_BODY, LARGE_BODY_S
    _few = asyncio.Semaphore(FEW)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if "PUT" not in (self.methods or ()):
            return handle

        async def in_turn(request: Request) -> Response:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._few.acquire()
            except TimeoutError as error:
                told = "Other value lists are being put. Try again."
                raise Problem(503, told, headers={"Retry-After": "5"}) from error
            try:
                return await handle(request)
            finally:
                self._few.release()

        return in_turn


router = APIRouter(
    prefix="/v1/value-lists", tags=["value lists"], route_class=LargeRoute, responses=responses(401, 403)
)
Id = Annotated[SegmentId, Path(alias="id")]


class NewValues(shapes.In):
    """All values of a list: they take the place of those that it had."""

    values: list[Any] = Field(
        max_length=MAX_LISTED,
        description="Strings and numbers; equal ones count once. As JSON at most 32 MiB.",
        examples=[["4006381333931", "4006381333948"]],
    )


class ValueListOut(BaseModel):
    """A value list without its values."""

    id: SegmentId = Field(description="The id by which conditions name it.")
    version: int = Field(description="Counts its contents.")
    count: int = Field(description="How many different values it has.")
    bytes: int = Field(description="What they take as JSON.")
    created_at: shapes.Instant = Field(description="When it was made.")
    updated_at: shapes.Instant = Field(description="When it got its present values.")
    used_by_count: int = Field(description="How many segments name it.")


class ValueListWithUsers(ValueListOut):
    """A value list with the segments that name it."""

    used_by: list[str] = Field(max_length=MOST_USERS, description="Their ids, sorted; the first 1,000.")


class ValueLists(BaseModel):
    """All value lists of the workspace, by id."""

    value_lists: list[ValueListOut] = Field(description="Sorted by their ids.")


class ValuesPage(BaseModel):
    """A page of a list's values."""

    values: list[Annotated[Any, WithJsonSchema({"type": ["string", "number"]})]] = Field(
        description="In an order that depends on the values alone."
    )
    next_cursor: str | None = Field(None, description="For the next page; null: this is the last.")


@router.get("", responses=responses(404))
async def list_value_lists(context: Ctx, workspace: Reading) -> ValueLists:
    """All value lists with their sizes."""
    snapshot = await context.catalog.segments(workspace.id)
    used = Counter(
        id_
        for each in snapshot.segments.values()
        if each.definition is not None
        for id_ in named(each.definition)
    )
    lists = [snapshot.lists[id_] for id_ in sorted(snapshot.digests)]
    return ValueLists(
        value_lists=[ValueListOut(**_shape(each), used_by_count=used[each.id]) for each in lists]
    )


@router.get("/{id}", responses=responses(404))
async def read_value_list(context: Ctx, workspace: Reading, id_: Id) -> ValueListWithUsers:
    """A value list: its size, and the segments that name it."""
    snapshot = await context.catalog.segments(workspace.id)
    return _shown(snapshot, list_edits.existing(snapshot, id_))


@router.get("/{id}/values", responses=responses(404))
async def read_values(
    context: Ctx,
    workspace: Reading,
    id_: Id,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    after: cursor.Cursor = None,
) -> ValuesPage:
    """A page of a list's values. The pages are of one content, also where it is replaced meanwhile."""
    found = list_edits.existing(await context.catalog.segments(workspace.id), id_)
    digest, start = (found.digest, 0) if after is None else cursor.decode(after, tuple[str, int])
    if digest not in (found.digest, *(each.digest for each in found.formers)) or start < 0:
        raise Problem(409, "The list was replaced so often that this page is gone: begin anew.")
    items = (await context.contents.one(workspace.id, digest)).items
    end = start + limit
    return ValuesPage(
        values=list(items[start:end]), next_cursor=cursor.encode((digest, end)) if end < len(items) else None
    )


@router.put("/{id}", responses=responses(400, 404, 409, 413, 415))
async def put_value_list(
    context: Ctx, workspace: Writing, id_: Id, given: Annotated[NewValues, Body()]
) -> ValueListWithUsers:
    """Make a list, or replace all its values. A list has at most 1,000,000 values, a workspace 100 lists and
    2,000,000 values.

    All segments that name it get another version of their definition, as if they had been edited: the old
    values are served until the new ones have their history, and then those enter and leave who are concerned.
    The same values again change nothing."""
    digest, values, size = await asyncio.to_thread(_read, given.values)
    now_ms = context.now_ms()

    async def decide(snapshot: Snapshot) -> Sequence[Put]:
        return await list_edits.replacing(
            snapshot, context.contents, workspace.id, id_, digest, values, size, now_ms
        )

    sequence = await context.catalog.change_lists(workspace.id, decide)
    await context.publisher.published(sequence)
    snapshot = await context.catalog.segments(workspace.id)
    return _shown(snapshot, list_edits.existing(snapshot, id_))


@router.delete("/{id}", status_code=204, responses=responses(404, 409))
async def delete_value_list(context: Ctx, workspace: Writing, id_: Id) -> None:
    """Delete a list. Refused while segments name it."""
    now_ms = context.now_ms()

    async def decide(snapshot: Snapshot) -> Sequence[Put]:
        return await list_edits.deleting(snapshot, context.contents, workspace.id, id_, now_ms)

    await context.publisher.published(await context.catalog.change_lists(workspace.id, decide))


def _read(values: list[Any]) -> tuple[str, list[Any], int]:
    """Digest, different values, and their size as JSON. Raises Problem 422."""
    faults = Faults()
    for at, value in enumerate(values):
        where = join("/values", at)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            faults.add(where, "wrong_type", f"must be a string or a number, not {kind_name(value)}")
        else:
            scalar(faults, value, where)
        if len(faults.found) >= MAX_FAULTS:
            break
    if not faults.found:
        digest, different = content(values)
        size = len(msgspec.json.encode(different))
        if size <= MAX_LISTED_BYTES:
            return digest, different, size
        faults.add(
            "/values", "too_long", f"have {size} bytes as JSON; at most {MAX_LISTED_BYTES} are allowed"
        )
    found: list[Fault] = faults.found
    raise Problem(422, f"{len(found)} fault(s) in the request.", found)


def _shown(snapshot: Snapshot, found: ValueList) -> ValueListWithUsers:
    users = [each.id for each in snapshot.naming(found.id)]
    return ValueListWithUsers(**_shape(found), used_by_count=len(users), used_by=users[:MOST_USERS])


def _shape(found: ValueList) -> dict[str, Any]:
    return {
        "id": found.id,
        "version": found.version,
        "count": found.count,
        "bytes": found.bytes,
        "created_at": times.iso(found.created_ms),
        "updated_at": times.iso(found.updated_ms),
    }
