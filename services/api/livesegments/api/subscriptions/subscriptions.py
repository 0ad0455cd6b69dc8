"""Subscriptions: who hears of which transitions, when, in which form, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Path, Response

from livesegments.api.context import Context, Ctx
from livesegments.api.subscriptions import edits, shapes
from livesegments.api.web import times
from livesegments.api.web.auth import Reading, Writing
from livesegments.api.web.etags import ETAG, WITH_ETAG, IfMatch, check_match, etag
from livesegments.api.web.problems import responses
from livesegments.api.web.route import Route
from livesegments.runtime.addresses import hosts
from livesegments.runtime.reader import Reader
from livesegments.store.actor import means
from livesegments.store.changes import Put
from livesegments.store.places import gone, put
from livesegments.store.snapshot import Snapshot
from livesegments.wire.attempt import Disabled
from livesegments.wire.subscription import Subscription
from livesegments.wire.topics import MEMBERSHIPS

router = APIRouter(
    prefix="/v1/subscriptions", tags=["subscriptions"], route_class=Route, responses=responses(401, 403)
)
Id = Annotated[str, Path(alias="id", max_length=64)]
CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "headers": ETAG
        | {"Location": {"description": "Its path.", "schema": {"type": "string"}, "required": True}}
    }
}


@router.post("", status_code=201, responses=CREATED | responses(400, 404, 409, 413, 415))
async def create_subscription(
    context: Ctx, workspace: Writing, response: Response, new: Annotated[shapes.NewSubscription, Body()]
) -> shapes.MadeSubscription:
    """Make a subscription. It hears what is announced from now on; its secret is shown this once."""
    now_ms, permitted = context.now_ms(), hosts(context.settings.notify_hosts)
    begin = await _ends(context)
    entry = await change(
        context,
        workspace.id,
        lambda snapshot: edits.made(snapshot, workspace.id, new, begin, now_ms, permitted, context.seal),
    )
    response.headers["Location"] = f"/v1/subscriptions/{entry.id}"
    response.headers["ETag"] = etag(entry.version)
    secret = entry.webhook and context.seal.opened(entry.webhook.secrets[-1].secret)
    return shapes.MadeSubscription(**shapes.fields(entry, now_ms), secret=secret)


@router.get("", responses=responses(404))
async def list_subscriptions(context: Ctx, workspace: Reading) -> shapes.Subscriptions:
    """All subscriptions, the oldest first."""
    snapshot = await context.catalog.segments(workspace.id)
    found = sorted(snapshot.subscriptions.values(), key=lambda each: (each.created_ms, each.id))
    ended = await context.lanes.disabled()
    now_ms = context.now_ms()
    shown = [
        shapes.SubscriptionOut(**shapes.fields(each, now_ms, is_disabled(each, ended))) for each in found
    ]
    return shapes.Subscriptions(subscriptions=shown)


@router.get("/{id}", responses=WITH_ETAG | responses(404))
async def read_subscription(
    context: Ctx, workspace: Reading, response: Response, id_: Id
) -> shapes.SubscriptionOut:
    """A subscription, without its secrets."""
    entry = edits.existing(await context.catalog.segments(workspace.id), id_)
    response.headers["ETag"] = etag(entry.version)
    return await _shown(context, entry)


@router.patch("/{id}", responses=WITH_ETAG | responses(400, 404, 409, 412, 413, 415, 428))
async def edit_subscription(
    context: Ctx,
    workspace: Writing,
    response: Response,
    id_: Id,
    patch: Annotated[shapes.SubscriptionPatch, Body()],
    if_match: IfMatch = None,
) -> shapes.SubscriptionOut:
    """Change what the body names. What was heard already stays heard; `"paused": false` enables it again."""
    now_ms, permitted = context.now_ms(), hosts(context.settings.notify_hosts)
    ends = await _ends(context) if "webhook" in patch.model_fields_set else ()
    entry = await change(
        context,
        workspace.id,
        lambda snapshot: edits.patched(snapshot, id_, patch, if_match, now_ms, permitted, ends, context.seal),
    )
    response.headers["ETag"] = etag(entry.version)
    return await _shown(context, entry)


@router.post("/{id}/secrets", status_code=201, responses=responses(404, 409))
async def rotate_secret(context: Ctx, workspace: Writing, id_: Id) -> shapes.SecretOut:
    """Make a new secret. For a day the one before signs as well: set the new one up at the receiver by
    then."""
    now_ms = context.now_ms()
    means("rotate_secret")
    entry = await change(
        context, workspace.id, lambda snapshot: edits.rotated(snapshot, id_, now_ms, context.seal)
    )
    assert entry.webhook is not None
    former, present = entry.webhook.secrets
    return shapes.SecretOut(
        secret=context.seal.opened(present.secret), former_valid_until=times.iso(former.until_ms or now_ms)
    )


@router.delete("/{id}", status_code=204, responses=responses(404, 409, 412))
async def delete_subscription(context: Ctx, workspace: Writing, id_: Id, if_match: IfMatch = None) -> None:
    """Delete a subscription: nothing more is sent."""

    async def decide(snapshot: Snapshot) -> Sequence[Put]:
        old = edits.existing(snapshot, id_)
        check_match(old.version, if_match, needed=False)
        return [gone(old)]

    await context.publisher.published(await context.catalog.change_lists(workspace.id, decide))


async def change(
    context: Context, workspace: str, edited: Callable[[Snapshot], Subscription]
) -> Subscription:
    """Durable in Redis and in the topic when it returns."""
    entries: list[Subscription] = []

    async def decide(snapshot: Snapshot) -> Sequence[Put]:
        entries.append(edited(snapshot))
        return [put(entries[-1])]

    await context.publisher.published(await context.catalog.change_lists(workspace, decide))
    return entries[-1]


async def _ends(context: Context) -> list[int]:
    """Where the topic of transitions ends now. Raises KafkaError."""
    reader = Reader(context.settings.kafka, MEMBERSHIPS, context.settings.partitions)
    try:
        await reader.start("end")
        return [at for _, at in sorted((await reader.ends()).items())]
    finally:
        await reader.close()


async def _shown(context: Context, entry: Subscription) -> shapes.SubscriptionOut:
    disabled = is_disabled(entry, await context.lanes.disabled())
    return shapes.SubscriptionOut(**shapes.fields(entry, context.now_ms(), disabled))


def is_disabled(entry: Subscription, ended: Mapping[tuple[str, str], bytes]) -> bool:
    """Whether its receiver has answered 410 since it was enabled last."""
    data = ended.get((entry.workspace, entry.id))
    return data is not None and msgspec.json.decode(data, type=Disabled).enabling == entry.enabling
