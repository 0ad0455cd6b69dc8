"""Erasures: a person goes from everything that is kept, and stays out until somebody lifts that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.operations.audit import forget_erased, noted
from livesegments.api.operations.forgetting import forgotten
from livesegments.api.web import times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.problems import Problem, not_found, responses
from livesegments.api.web.publisher import NotPublished
from livesegments.api.web.route import IdempotencyKey, Route
from livesegments.api.web.shapes import In, Instant
from livesegments.api.web.texts import ProfileId
from livesegments.store.changes import NotRestored
from livesegments.store.client import Away
from livesegments.store.erasures import Erasing
from livesegments.wire.suppressed import digest

APPLIED_S = 2.0
"""So long a request waits until the evaluator has applied it; then it answers `accepted`."""
LOOK_S = 0.02

_log = structlog.get_logger(__name__)

router = APIRouter(prefix="/v1/erasures", tags=["profiles"], route_class=Route, responses=responses(401, 403))
ErasureId = Annotated[
    str, Path(alias="id", pattern="^[0-9]{1,5}-[0-9]{1,18}$", description="The id of an erasure.")
]


class NewErasure(In):
    """Whom to erase."""

    profile: ProfileId = Field(description="The id of the profile.")
    at_once: bool = Field(
        default=False,
        description="Rewrite the files now, not together with those of others within the stated time.",
    )


class ErasureOut(BaseModel):
    """How far an erasure is. It names nobody: keep its id with your own record of the request."""

    id: str = Field(description="Its partition and offset in topic `events`.", examples=["3-1742"])
    state: Literal["accepted", "erased", "done"] = Field(
        description="`accepted`: in the log, not applied yet. `erased`: out of state and segments, and kept "
        "out; its files still have rows. `done`: they have none any more."
    )
    requested_at: Instant | None = Field(description="When it was asked for; null while `accepted`.")
    due_at: Instant | None = Field(description="When it will be `done` at the latest; null while `accepted`.")
    profiles: int = Field(
        description="How many ids the person has, as far as is known: the one that was named, and those that "
        "it was merged with. The rest is about all of them."
    )
    segments_left: int = Field(description="How many segments the person was in, and left.")
    archive_at: Instant | None = Field(description="When no file of the archive had anything of it any more.")
    checkpoints_at: Instant | None = Field(description="When no checkpoint had anything of it any more.")
    names_at: Instant | None = Field(description="When its values were out of the names that were seen.")
    done_at: Instant | None = Field(description="When it was `done`.")
    suppressed: bool = Field(description="Whether later events of the profile are dropped.")


@router.post("", status_code=202, responses=responses(400, 413, 415))
async def create_erasure(
    context: Ctx, workspace: Writing, new: NewErasure, once: IdempotencyKey = None
) -> ErasureOut:
    """Erase a person: state, memberships and due times at once, with `exited` of the cause `erasure`; archive
    and checkpoints within the stated time. Later events under the id are dropped, until that is lifted."""
    whom = digest(context.settings.erasure_key, workspace.id, new.profile)
    await noted(context, workspace.id, "start", "erasure", whom)
    await forgotten(context.catalog, context.publisher, workspace.id, {new.profile})
    partition, offset = await context.records.erase(workspace.id, new.profile, new.at_once)
    try:
        async with asyncio.timeout(APPLIED_S):
            while True:
                found = await context.erasures.read(partition, offset)
                if found.note is not None and None not in found.others:
                    break
                await asyncio.sleep(LOOK_S)
            await forget_erased(context, workspace.id)
    except (TimeoutError, NotPublished, NotRestored, Away) as error:
        _log.info("an erasure goes on by itself", reason=repr(error))
    return await _shown(context, workspace.id, partition, offset)


@router.get("/{id}", responses=responses(404))
async def read_erasure(context: Ctx, workspace: Reading, id_: ErasureId) -> ErasureOut:
    """How far an erasure is."""
    return await _shown(context, workspace.id, *_place(id_))


@router.delete("/{id}", status_code=204, responses=responses(404, 409))
async def lift_erasure(context: Ctx, workspace: Writing, id_: ErasureId) -> None:
    """Let the person in again: events that come from now on count. What was erased stays erased."""
    partition, offset = _place(id_)
    found = await context.erasures.read(partition, offset)
    if found.note is None and not found.applied:
        raise Problem(409, "The erasure isn't applied yet: try again.")
    note = _ours(found.note, workspace.id, id_)
    await noted(context, workspace.id, "lift", "erasure", note.digest, note=id_)
    await context.records.lift(partition, workspace.id, note.digest)


async def _shown(context: Context, workspace: str, partition: int, offset: int) -> ErasureOut:
    id_ = f"{partition}-{offset}"
    found = await context.erasures.read(partition, offset)
    if found.note is None and not found.applied:
        return ErasureOut(
            id=id_, state="accepted", requested_at=None, due_at=None, profiles=1, segments_left=0,
            archive_at=None, checkpoints_at=None, names_at=None, done_at=None, suppressed=False,
        )  # fmt: skip
    note = _ours(found.note, workspace, id_)
    notes = [note, *found.others]
    wait_ms = 0 if note.at_once else round(context.settings.erase_within_s * 1_000)
    return ErasureOut(
        id=id_,
        state=_state(note, found.others),
        requested_at=times.iso(note.asked_ms),
        due_at=times.iso(note.asked_ms + wait_ms),
        profiles=len(notes),
        segments_left=sum(each.exits for each in notes if each is not None),
        archive_at=times.iso_or_none(_latest(notes, "archive_ms")),
        checkpoints_at=times.iso_or_none(_latest(notes, "checkpoints_ms")),
        names_at=times.iso_or_none(_latest(notes, "names_ms")),
        done_at=times.iso_or_none(_latest(notes, "done_ms")),
        suppressed=await context.erasures.suppresses(partition, note.digest),
    )


def _state(note: Erasing, others: Sequence[Erasing | None]) -> Literal["accepted", "erased", "done"]:
    if None not in others:
        return "erased" if _latest([note, *others], "done_ms") is None else "done"
    return "accepted" if note.done_ms is None else "erased"


def _latest(notes: Sequence[Erasing | None], name: str) -> int | None:
    """The latest of their instants; None if one of them has none yet."""
    found: list[int] = []
    for each in notes:
        at_ms = None if each is None else getattr(each, name)
        if at_ms is None:
            return None
        found.append(at_ms)
    return max(found)


def _ours(note: Erasing | None, workspace: str, id_: str) -> Erasing:
    if note is None or note.workspace != workspace:
        raise not_found("erasure", id_)
    return note


def _place(id_: str) -> tuple[int, int]:
    partition, _, offset = id_.partition("-")
    return int(partition), int(offset)
