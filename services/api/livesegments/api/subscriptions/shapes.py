"""The bodies of requests and answers about subscriptions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from livesegments.api.operations.rejected import When
from livesegments.api.web import times
from livesegments.api.web.shapes import In, Instant
from livesegments.api.web.texts import Name, SegmentId
from livesegments.core.event import Cause, Kind
from livesegments.runtime.addresses import MAX_URL
from livesegments.wire.subscription import Subscription

DAY_S = 86_400
MAX_NAMED = 100
Form = Literal["transitions", "track", "identify", "slack", "json"]
SECRET = "`whsec_…`, with which the signature is checked. It is shown this once."
Seconds = Annotated[int, Field(ge=0, le=366 * DAY_S, examples=[3_600])]


class BatchIn(In):
    """A message has at most `max` transitions, and goes at latest `within_s` after its first."""

    max: int = Field(1, ge=1, le=500, description="How many transitions a message has at most.")
    within_s: int = Field(0, ge=0, le=3_600, description="So long the first of them waits at most.")


class WebhookIn(In):
    """Where messages are posted, and in which form."""

    url: str = Field(
        min_length=1,
        max_length=MAX_URL,
        description="A public address, by http or https; redirects are not followed.",
        examples=["https://hooks.example.com/segments"],
    )
    template: Form = Field(
        "transitions",
        description="The form of the body: our own, calls of the Segment spec (`track`, `identify`), a "
        "message of Slack, or `json`: the document `mapping`.",
    )
    mapping: dict[str, Any] | None = Field(
        None,
        description="Of the form `json`: a document in which `$profile`, say, stands for that field.",
        examples=[{"contact": "$profile", "list": "$segment", "since": "$at"}],
    )


class NewSubscription(In):
    """What is heard, when, and where it goes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "VIP welcome",
                    "segments": ["vip"],
                    "kinds": ["entered"],
                    "minimum_dwell_s": 3_600,
                    "webhook": {"url": "https://hooks.example.com/segments"},
                }
            ]
        }
    )

    name: Name
    segments: list[SegmentId] = Field(
        [], max_length=MAX_NAMED, description="Their ids; none: all segments, also those to come."
    )
    kinds: list[Kind] = Field(["entered", "exited"], min_length=1, max_length=2, description="What is heard.")
    causes: list[Cause] = Field(
        [], max_length=10, description="Why they entered or exited; none: every cause but `backfill`."
    )
    backfill: bool = Field(
        False,
        description="Whether it also hears who enters or exits only because a definition got its history.",
    )
    minimum_dwell_s: Seconds = Field(
        0, description="An entry is heard if the profile stays so long; else neither it nor the exit is."
    )
    cool_down_s: Seconds = Field(
        0,
        description="An entry is heard if the last one that was heard of this profile and segment is so long "
        "ago; else neither it nor its exit is.",
    )
    batch: BatchIn = Field(BatchIn(), description="How many transitions go together.")
    webhook: WebhookIn | None = Field(None, description="Where they go; null: the receiver pulls them.")
    paused: bool = Field(False, description="Nothing is sent while it is paused, and nothing is lost.")


class SubscriptionPatch(In):
    """JSON merge patch (RFC 7396): what isn't named stays."""

    name: Name = ""
    segments: list[SegmentId] = Field([], max_length=MAX_NAMED, description="Their ids; none: all.")
    kinds: list[Kind] = Field(["entered", "exited"], min_length=1, max_length=2, description="What is heard.")
    causes: list[Cause] = Field([], max_length=10, description="Why they entered or exited.")
    backfill: bool = Field(False, description="Whether it also hears what comes of a definition's history.")
    minimum_dwell_s: Seconds = Field(0, description="The shortest stay that is heard.")
    cool_down_s: Seconds = Field(0, description="The shortest time between two entries that are heard.")
    batch: BatchIn = Field(BatchIn(), description="How many transitions go together.")
    webhook: WebhookIn | None = Field(None, description="Its secrets stay; null: the receiver pulls.")
    paused: bool = Field(False, description="`false` also enables it again after its receiver's 410.")


class BatchOut(BaseModel):
    """A message has at most `max` transitions, and goes at latest `within_s` after its first."""

    max: int = Field(description="How many transitions a message has at most.")
    within_s: int = Field(description="So long the first of them waits at most.")


class WebhookOut(BaseModel):
    """A webhook without its secrets."""

    url: str = Field(description="Where messages are posted.")
    template: str = Field(description="The form of the body.")
    mapping: dict[str, Any] | None = Field(description="Of the form `json`: the document.")
    secrets: int = Field(description="How many secrets sign: two while they rotate.")


class SubscriptionOut(BaseModel):
    """A subscription."""

    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")
    segments: list[str] = Field(description="The segments that it hears of; none: all.")
    kinds: list[Kind] = Field(description="What it hears.")
    causes: list[Cause] = Field(description="Why they entered or exited; none: every cause but `backfill`.")
    backfill: bool = Field(description="Whether it also hears what comes of a definition's history.")
    minimum_dwell_s: int = Field(description="The shortest stay that is heard.")
    cool_down_s: int = Field(description="The shortest time between two entries that are heard.")
    batch: BatchOut = Field(description="How many transitions go together.")
    webhook: WebhookOut | None = Field(description="Where they go; null: the receiver pulls them.")
    paused: bool = Field(description="Whether nothing is sent for now.")
    state: Literal["active", "paused", "disabled"] = Field(
        description="`disabled`: its receiver has answered 410; an edit with `paused` false enables it again."
    )
    version: int = Field(description="Counts every edit; the ETag.")
    created_at: Instant = Field(description="It hears what is announced from then on.")
    updated_at: Instant = Field(description="When it was last edited.")


class MadeSubscription(SubscriptionOut):
    """A new subscription with its secret."""

    secret: str | None = Field(description=f"{SECRET} Null where the receiver pulls.")


class SecretOut(BaseModel):
    """A new secret."""

    secret: str = Field(description=SECRET)
    former_valid_until: Instant = Field(description="Until then the secret before signs as well.")


class Subscriptions(BaseModel):
    """All subscriptions of the workspace."""

    subscriptions: list[SubscriptionOut] = Field(description="The oldest first.")


class AttemptOut(BaseModel):
    """One try to deliver a message."""

    id: str = Field(description="The message's id, the same at every attempt.")
    at: Instant = Field(description="When it ended.")
    ms: int = Field(description="How long it took, in milliseconds.")
    status: int | None = Field(description="What the receiver answered; null: nothing.")
    error: str = Field(description="Why there was no answer; empty where there was one.")


class Attempts(BaseModel):
    """The newest attempts: at most 200 of every partition are kept."""

    attempts: list[AttemptOut] = Field(description="The newest first.")


class TransitionOut(BaseModel):
    """A profile entered or left a segment."""

    id: str = Field(description="The same however often it is heard.")
    workspace: str = Field(description="The id of the workspace.")
    segment: str = Field(description="The id of the segment.")
    profile: str = Field(description="The id of the profile.")
    kind: Kind = Field(description="Whether the profile entered or exited.")
    at: Instant = Field(description="When it became true.")
    sequence: int = Field(description="Counts the transitions of this profile and segment, from 1.")
    cause: Cause = Field(description="What led to it.")
    event_id: str | None = Field(description="The id of the event that led to it; null: none did.")
    version: int = Field(description="The version of the segment's definition that decided it.")
    computed: dict[str, str | int | float | bool] | None = Field(
        None,
        description="The values at that instant of the computed attributes that the definition asks about, "
        "by their ids; absent where it asks about none.",
    )


class DeadOut(BaseModel):
    """A message that was given up after all attempts of the schedule."""

    id: str = Field(description="The message's id.")
    at: Instant = Field(description="When it was given up.")
    attempts: int = Field(description="How often it was tried.")
    status: int | None = Field(description="The last answer; null: there was none.")
    error: str = Field(description="Why the last attempt had no answer.")
    transitions: list[TransitionOut] = Field(description="What was in it.")


class DeadLetters(BaseModel):
    """The newest messages that were given up: at most 1,000 of every partition are kept."""

    dead_letters: list[DeadOut] = Field(description="The newest first.")


class NewReplay(In):
    """What was announced in this range is sent again."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={"examples": [{"from": "2026-01-31T09:00:00Z", "to": "2026-01-31T10:00:00Z"}]},
    )

    from_: When = Field(alias="from", description="Its beginning: an instant.")
    to: When = Field(description="Its end, which is not in it.")


class ReplayOut(BaseModel):
    """A replay that was asked for: the one before, if it is under way, ends."""

    number: int = Field(description="Counts the replays of the subscription.")
    records: int = Field(
        description="How many transitions were announced in the range, whoever hears of them."
    )


def fields(each: Subscription, now_ms: int, disabled: bool = False) -> dict[str, Any]:
    """What is shown of a subscription."""
    webhook = each.webhook and WebhookOut(
        url=each.webhook.url,
        template=each.webhook.template,
        mapping=each.webhook.mapping,
        secrets=sum(secret.until_ms is None or secret.until_ms > now_ms for secret in each.webhook.secrets),
    )
    return {
        "id": each.id,
        "name": each.name,
        "segments": list(each.segments),
        "kinds": list(each.kinds),
        "causes": list(each.causes),
        "backfill": each.backfill,
        "minimum_dwell_s": each.dwell_ms // 1_000,
        "cool_down_s": each.cooldown_ms // 1_000,
        "batch": BatchOut(max=each.batch, within_s=each.batch_ms // 1_000),
        "webhook": webhook,
        "paused": each.paused,
        "state": "disabled" if disabled else "paused" if each.paused else "active",
        "version": each.version,
        "created_at": times.iso(each.created_ms),
        "updated_at": times.iso(each.updated_ms),
    }
