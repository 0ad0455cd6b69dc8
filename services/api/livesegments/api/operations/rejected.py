"""Refusals: read from topic `rejected`, newest first; and given again where the fault was ours."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, BaseModel, Field, PlainValidator, WithJsonSchema

from livesegments.api.context import Context, Ctx
from livesegments.api.operations.audit import noted
from livesegments.api.operations.refusals import Refusal, Wanted
from livesegments.api.web import cursor, times
from livesegments.api.web.auth import Replaying, Seeing
from livesegments.api.web.problems import FaultOut, Problem, not_found, responses
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.shapes import Instant, instant
from livesegments.api.web.texts import fault
from livesegments.wire.rejected import INTERNAL_FAULT, Record, event_of

MAX_PAGE = 200
TEXT_BYTES = 3_072
MAX_OFFSET = 2**62
_REFUSAL = re.compile("^0-[0-9]{1,18}$")

router = APIRouter(
    prefix="/v1/rejected", tags=["operations"], route_class=Route, responses=responses(401, 403)
)


def _instant(value: Any) -> int:
    return times.parse(instant(str(value)))


def _refusal(text: str) -> str:
    if not _REFUSAL.match(text):
        raise fault("bad_id", "must be the id of a refusal, as `0-1742`")
    return text


Refused = Annotated[
    str, AfterValidator(_refusal), WithJsonSchema({"type": "string", "pattern": _REFUSAL.pattern})
]
RefusalId = Annotated[Refused, Path(alias="id", description="The id of a refusal.")]
When = Annotated[int, PlainValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]


class RefusalOut(BaseModel):
    """One item that was refused."""

    id: str = Field(description="Its partition and offset in topic `rejected`.", examples=["0-1742"])
    at: Instant = Field(description="When the broker took the refusal; `since` and `until` compare with it.")
    received_at: Instant = Field(description="When the item came in: its receipt.")
    workspace: str | None = Field(
        description="The workspace that was named; null where none could be read. It need not exist."
    )
    code: str = Field(description="The code of the first of `errors`.", examples=["missing_field"])
    reason: str = Field(description="All of `errors` as one line.")
    errors: list[FaultOut] = Field(description="Every fault of the item.")
    source: str = Field(
        description="Where the item came from: `http`, or TOPIC/PARTITION/OFFSET of a record.",
        examples=["http"],
    )
    text: str | None = Field(
        description="The beginning of the item as text, at most 3,072 bytes of it; of an event that was set "
        "aside its JSON; null where it is not text."
    )
    raw_bytes: int = Field(description="How many bytes the item had.")
    partial: bool = Field(
        description="Whether the rest of the item was accepted: then `text` has nothing but its odd parts."
    )
    replayable: bool = Field(
        description=f"Whether it may be given again: its code is `{INTERNAL_FAULT}`, so the fault was ours."
    )


class RefusalWhole(RefusalOut):
    """One item that was refused, with its raw bytes."""

    raw: str = Field(description="The item byte for byte, in base64.", json_schema_extra={"format": "byte"})
    truncated: bool = Field(description="Whether the item was longer than what is kept, 512 KiB.")


class Refusals(BaseModel):
    """A page of refusals, the newest first. It may have fewer than `limit`, even none."""

    rejected: list[RefusalOut] = Field(description="The refusals of this page.")
    next_cursor: str | None = Field(
        description="Give it back as `cursor` for the next page; null: the last one."
    )
    latest: str | None = Field(
        description="The id of the newest refusal of all workspaces. Give it back as `after`, later, to read "
        "only what was refused since; null: none ever was.",
        examples=["0-1742"],
    )


class Replayed(BaseModel):
    """Where the event was published again."""

    workspace: str = Field(description="The workspace of the event.")
    profile: str = Field(description="The profile of the event.")
    event: str = Field(description="The id of the event: it makes sure that a repetition counts once.")
    partition: int = Field(description="The partition of topic `events`.")
    offset: int = Field(description="The offset in that partition.")


@router.get("")
async def list_rejected(
    context: Ctx,
    workspace: Seeing,
    code: Annotated[
        str | None, Query(max_length=64, description="Only with this code among `errors`: `bad_date`, say.")
    ] = None,
    since: Annotated[When | None, Query(description="Only those refused at this instant or later.")] = None,
    until: Annotated[When | None, Query(description="Only those refused before this instant.")] = None,
    after: Annotated[
        Refused | None, Query(description="Only those refused after the one with this id.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="The most refusals in a page.")] = 50,
    before: Annotated[
        str | None, Query(alias="cursor", max_length=200, description="`next_cursor` of the page before.")
    ] = None,
) -> Refusals:
    """What was refused, newest first. A workspace's key sees what was sent to its workspace; an admin key
    sees everything, or with `X-Workspace` only what named that workspace, whether it exists or not. The topic
    `rejected` keeps refusals for seven days by the broker's default. A page may end early, where its filter
    fits little: go on until `next_cursor` is null."""
    place = None if after is None else _offset(after)
    wanted = Wanted(workspace, code, since, until, place, await _withheld(context))
    page = await context.refusals.page(wanted, None if before is None else _place(before), limit)
    return Refusals(
        rejected=[RefusalOut(**_fields(each)) for each in page.refusals],
        next_cursor=None if page.before is None else cursor.encode(page.before),
        latest=_id(page.end - 1) if page.end else None,
    )


@router.get("/{id}", responses=responses(404))
async def read_rejected(context: Ctx, workspace: Seeing, id_: RefusalId) -> RefusalWhole:
    """One refusal with its raw bytes."""
    refusal = await _found(context, workspace, id_)
    return RefusalWhole(**_fields(refusal), raw=refusal.record.raw, truncated=refusal.record.truncated)


@router.post("/{id}/replay", status_code=202, responses=responses(404, 409))
async def replay_rejected(
    context: Ctx, workspace: Replaying, id_: RefusalId, once: IdempotencyKey = None
) -> Replayed:
    """Publish an event again that a fault of ours kept from being applied, once that is mended. It keeps its
    id and its time, so a repetition counts once. Everything else that was refused is for its sender to
    correct and to send again."""
    record = (await _found(context, workspace, id_)).record
    if not _replayable(record):
        raise Problem(409, f"The fault was not ours: correct it and send it again. ({record.reason})")
    event = event_of(record)
    if event is None:
        raise Problem(409, "There is no event in it that could be given again.")
    await noted(context, event.workspace, "replay", "rejected_event", id_)
    partition, offset = await context.records.again(event)
    return Replayed(
        workspace=event.workspace, profile=event.profile, event=event.id, partition=partition, offset=offset
    )


async def _found(context: Context, workspace: str | None, id_: str) -> Refusal:
    """Raises Problem 404 also where it is another workspace's."""
    refusal = await context.refusals.one(_offset(id_))
    wanted = Wanted(workspace, withheld=await _withheld(context))
    if refusal is None or not wanted.fits(refusal.record):
        raise not_found("refusal", id_)
    return refusal


async def _withheld(context: Context) -> Callable[[Record], bool]:
    """Which refusals are not given away, because they name somebody who was erased."""
    known = context.suppressions
    await known.refresh()

    def withheld(record: Record) -> bool:
        if known.nobody:
            return False
        if (event := event_of(record)) is not None:
            return known.has(event.workspace, event.profile)
        try:
            return known.named_in(record.workspace, b64decode(record.raw))
        except ValueError:
            return False

    return withheld


def _fields(refusal: Refusal) -> dict[str, Any]:
    record = refusal.record
    return {
        "id": _id(refusal.offset),
        "at": times.iso(refusal.at_ms),
        "received_at": times.iso(record.received_ms),
        "workspace": record.workspace,
        "code": record.faults[0].code if record.faults else "",
        "reason": record.reason,
        "errors": list(record.faults),
        "source": record.source,
        "text": _text(record),
        "raw_bytes": record.raw_bytes,
        "partial": record.partial,
        "replayable": _replayable(record),
    }


def _replayable(record: Record) -> bool:
    return any(fault.code == INTERNAL_FAULT for fault in record.faults)


def _text(record: Record) -> str | None:
    if (event := event_of(record)) is not None:
        return msgspec.json.encode(msgspec.structs.asdict(event)).decode()
    try:
        data = b64decode(record.raw)[:TEXT_BYTES]
    except ValueError:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        # a character may have been cut in the middle
        return data[: error.start].decode() if error.reason == "unexpected end of data" else None


def _id(offset: int) -> str:
    return f"0-{offset}"


def _offset(id_: str) -> int:
    return int(id_.partition("-")[2])


def _place(text: str) -> int:
    offset = cursor.decode(text, int)
    if not 0 <= offset <= MAX_OFFSET:
        raise cursor.foreign()
    return offset
