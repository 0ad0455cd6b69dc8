"""Decisions about an edit of a subscription, on one snapshot of a workspace: they may be repeated."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Sequence
from secrets import token_bytes, token_hex
from typing import Any

from msgspec.structs import replace

from livesegments.api.subscriptions.shapes import NewSubscription, SubscriptionPatch, WebhookIn
from livesegments.api.web.etags import check_match
from livesegments.api.web.problems import QUOTA, Problem, not_found
from livesegments.core.fault import Fault, join
from livesegments.runtime.addresses import fault_of
from livesegments.runtime.sealing import Seal
from livesegments.store.snapshot import Snapshot
from livesegments.wire.mapping import faults_of as faults_of_mapping
from livesegments.wire.subscription import Replay, Secret, Subscription, Webhook

MAX_SUBSCRIPTIONS = 100
QUOTA_SUBSCRIPTIONS = f"{QUOTA}subscriptions"
FORMER_MS = 86_400_000
"""So long a secret that was replaced signs beside its successor."""


def secret() -> str:
    """As the Standard Webhooks specification has them: 32 random bytes."""
    return f"whsec_{b64encode(token_bytes(32)).decode()}"


def made(
    snapshot: Snapshot,
    workspace: str,
    new: NewSubscription,
    begin: Sequence[int],
    now_ms: int,
    permitted: Collection[str],
    seal: Seal,
) -> Subscription:
    """Raises Problem 409 where there are as many as may be, 422 with all faults."""
    if len(snapshot.subscriptions) >= MAX_SUBSCRIPTIONS:
        told = f"the workspace has {MAX_SUBSCRIPTIONS} subscriptions, the most: delete some"
        raise Problem(409, "The workspace has all it may have.", [Fault("", QUOTA_SUBSCRIPTIONS, told)])
    _check(snapshot, new.segments, new.webhook, permitted)
    webhook = None
    if new.webhook is not None:
        webhook = Webhook(secrets=(Secret(seal.sealed(secret())),), **_target(new.webhook))
    return _possible(
        Subscription(
            workspace=workspace,
            id=f"sub_{token_hex(8)}",
            version=1,
            created_ms=now_ms,
            updated_ms=now_ms,
            begin=tuple(begin),
            webhook=webhook,
            **_rule(new, new.model_dump()),
        )
    )


def patched(
    snapshot: Snapshot,
    id_: str,
    patch: SubscriptionPatch,
    match: str | None,
    now_ms: int,
    permitted: Collection[str],
    ends: Sequence[int],
    seal: Seal,
) -> Subscription:
    """`ends`: where the topic ends now; who pulled so far is sent what comes from then on. Raises Problem
    404, 428, 412, 422."""
    old = existing(snapshot, id_)
    check_match(old.version, match)
    given = patch.model_fields_set
    segments = patch.segments if "segments" in given else []
    _check(snapshot, segments, patch.webhook if "webhook" in given else None, permitted)
    changed = _rule(patch, patch.model_dump(include=set(given)))
    if "webhook" in given:
        kept = old.webhook.secrets if old.webhook is not None else (Secret(secret()),)
        secrets = tuple(replace(each, secret=seal.anew(each.secret)) for each in kept)
        if old.webhook is None and patch.webhook is not None:
            changed["begin"] = tuple(ends)
        changed["webhook"] = patch.webhook and Webhook(secrets=secrets, **_target(patch.webhook))
    if "paused" in given and not patch.paused:
        changed["enabling"] = old.enabling + 1
    edited = replace(old, version=old.version + 1, updated_ms=max(now_ms, old.updated_ms), **changed)
    return _possible(edited)


def replayed(
    snapshot: Snapshot, id_: str, first: Sequence[int], end: Sequence[int], now_ms: int
) -> Subscription:
    """With a replay of these offsets. Raises Problem 404, 409."""
    old = existing(snapshot, id_)
    if old.webhook is None:
        raise Problem(409, "The subscription has no webhook: its receiver pulls, from any cursor it has.")
    number = old.replay.number + 1 if old.replay is not None else 1
    replay = Replay(number, tuple(first), tuple(end))
    return replace(old, version=old.version + 1, updated_ms=max(now_ms, old.updated_ms), replay=replay)


def rotated(snapshot: Snapshot, id_: str, now_ms: int, seal: Seal) -> Subscription:
    """With a new secret, beside which the one before signs for a while. Raises Problem 404, 409."""
    old = existing(snapshot, id_)
    if old.webhook is None:
        raise Problem(409, "The subscription has no webhook, so it has no secret: its receiver pulls.")
    former = Secret(seal.anew(old.webhook.secrets[-1].secret), now_ms + FORMER_MS)
    webhook = replace(old.webhook, secrets=(former, Secret(seal.sealed(secret()))))
    return replace(old, version=old.version + 1, updated_ms=max(now_ms, old.updated_ms), webhook=webhook)


def existing(snapshot: Snapshot, id_: str) -> Subscription:
    found = snapshot.subscriptions.get(id_)
    if found is None:
        raise not_found("subscription", id_)
    return found


def _rule(given: NewSubscription | SubscriptionPatch, named: dict[str, Any]) -> dict[str, Any]:
    """The fields of the stored form, for those that are named."""
    made: dict[str, Any] = {
        name: tuple(dict.fromkeys(named[name])) for name in ("segments", "kinds", "causes") if name in named
    }
    made |= {name: named[name] for name in ("name", "backfill", "paused") if name in named}
    for name, stored in (("minimum_dwell_s", "dwell_ms"), ("cool_down_s", "cooldown_ms")):
        if name in named:
            made[stored] = named[name] * 1_000
    if "batch" in named:
        made |= {"batch": given.batch.max, "batch_ms": given.batch.within_s * 1_000}
    return made


def _target(webhook: WebhookIn) -> dict[str, Any]:
    return {"url": webhook.url, "template": webhook.template, "mapping": webhook.mapping}


def _possible(made: Subscription) -> Subscription:
    """Raises Problem 422 where the rule needs somebody who sends, and nobody does."""
    if made.webhook is None and (made.dwell_ms or made.cooldown_ms or made.batch > 1):
        told = "is needed: dwell, cool-down and batches are decided where messages are sent"
        raise Problem(422, "1 fault(s) in the request.", [Fault("/webhook", "missing", told)])
    return made


def _check(
    snapshot: Snapshot, segments: Sequence[str], webhook: WebhookIn | None, permitted: Collection[str]
) -> None:
    faults = [
        Fault(join("/segments", at), "unknown_segment", f"there is no segment '{id_}'")
        for at, id_ in enumerate(segments)
        if id_ not in snapshot.segments
    ]
    wrong = fault_of(webhook.url, permitted) if webhook is not None else None
    if wrong is not None:
        faults.append(Fault("/webhook/url", "bad_url", wrong))
    if webhook is not None and (webhook.mapping is None) == (webhook.template == "json"):
        told = "the form 'json' has a mapping, and no other form has one"
        faults.append(Fault("/webhook/mapping", "mapping", told))
    if webhook is not None and webhook.mapping is not None:
        faults += faults_of_mapping(webhook.mapping, "/webhook/mapping")
    if faults:
        raise Problem(422, f"{len(faults)} fault(s) in the request.", faults)
