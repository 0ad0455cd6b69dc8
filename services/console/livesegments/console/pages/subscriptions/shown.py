"""A subscription and its attempts as rows of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.client.subscriptions import Attempt, Dead, Subscription
from livesegments.console import formats

TEMPLATES = {
    "transitions": "Our own form",
    "track": "Segment: track",
    "identify": "Segment: identify",
    "slack": "Slack message",
    "json": "JSON of your own",
}
STATES = {"active": ("Active", "good"), "paused": ("Paused", "warn"), "disabled": ("Disabled", "bad")}
KINDS = {"entered": "entries", "exited": "exits"}
SEGMENTS = 3


class Tried(Struct, frozen=True):
    """An attempt to deliver a message."""

    when: str
    id: str
    answer: str
    kind: str
    took: str


def state(it: Subscription) -> tuple[str, str]:
    """In a word, and the kind of its badge."""
    return STATES.get(it.state, (it.state, ""))


def state_reason(it: Subscription) -> str:
    """What the state means, and what to do; empty where nothing is to be said."""
    match it.state:
        case "disabled":
            return (
                "Its receiver answered 410 Gone: it wants no more messages, so none are sent. Nothing is "
                "lost; go on when the receiver is back."
            )
        case "paused":
            return "Nothing is sent for now, and nothing is lost: it goes out when the subscription goes on."
    return ""


def hears(it: Subscription, names: Mapping[str, str]) -> str:
    """`Entries and exits of Buyers, VIPs`."""
    kinds = " and ".join(KINDS.get(each, each) for each in it.kinds)
    if not it.segments:
        return f"{kinds} of all segments".capitalize()
    first = ", ".join(formats.short(names.get(each, each), 60) for each in it.segments[:SEGMENTS])
    more = f" and {len(it.segments) - SEGMENTS} more" if len(it.segments) > SEGMENTS else ""
    return f"{kinds.capitalize()} of {first}{more}"


def target(it: Subscription) -> str:
    return "Its receiver pulls" if it.webhook is None else formats.short(it.webhook.url, 120)


def rules(it: Subscription) -> list[tuple[str, str]]:
    """What holds for its messages: name and value."""
    rows = [("Goes to", target(it))]
    if it.webhook is not None:
        rows.append(("Form of messages", TEMPLATES.get(it.webhook.template, it.webhook.template)))
        rows.append(("Secrets that sign", formats.number(it.webhook.secrets)))
    rows.append(
        ("Causes", ", ".join(it.causes) if it.causes else "all, without those of a new definition's history")
    )
    if it.backfill:
        rows.append(("History", "also who enters or leaves because a definition got its history"))
    if it.minimum_dwell_s:
        rows.append(("Stays at least", seconds(it.minimum_dwell_s)))
    if it.cool_down_s:
        rows.append(("Between two entries", seconds(it.cool_down_s)))
    if it.batch.max > 1:
        most = formats.count(it.batch.max, "transition")
        rows.append(("Messages", f"up to {most}, after {seconds(it.batch.within_s)} at the latest"))
    return rows


def seconds(many: int) -> str:
    """In the largest unit that fits without a rest."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if many and many % size == 0:
            return formats.count(many // size, unit)
    return formats.count(many, "second")


def tried(attempts: Sequence[Attempt], zone: ZoneInfo) -> list[Tried]:
    return [
        Tried(
            formats.exact(each.at, zone),
            each.id,
            str(each.status) if each.status is not None else formats.short(each.error, 120) or "no answer",
            "good" if each.status is not None and 200 <= each.status < 300 else "bad",
            f"{formats.number(each.ms)} ms",
        )
        for each in attempts
    ]


def given_up(letters: Sequence[Dead], zone: ZoneInfo) -> list[tuple[str, str, str, str]]:
    """When, which message, what it had, the last answer."""
    return [
        (
            formats.exact(each.at, zone),
            each.id,
            formats.count(len(each.transitions), "transition"),
            str(each.status) if each.status is not None else formats.short(each.error, 120),
        )
        for each in letters
    ]
