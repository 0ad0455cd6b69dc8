"""Who uses a segment: what refers to it, and the subscriptions that hear of it."""

from __future__ import annotations

from livesegments.client import segments, subscriptions
from livesegments.client.subscriptions import Subscription
from livesegments.console import formats
from livesegments.console.pages.segment.head import begin
from livesegments.console.pages.segments.actions.keeping import show_users
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import table
from livesegments.console.parts.tag import Tag, badge, heading
from livesegments.console.visit import Visit

STATES = {"active": "good", "failing": "warn", "disabled": "bad"}


async def build(visit: Visit) -> None:
    head = await begin(visit, "uses")
    users = (await visit.api.send(segments.used_by(head.segment.id))).used_by
    hears = heard(await visit.api.send(subscriptions.read_all()), head.segment.id)
    if not users and not hears:
        empty("Nothing depends on it", "No segment, computed attribute or subscription names it.", "link_off")
        return
    if users:
        with Tag("section", "", "card stack"):
            heading("What refers to it", 2)
            show_users(users)
    if hears:
        with Tag("section", "", "card stack"):
            heading("Who hears of it", 2)
            with table("Subscriptions", "Subscription", "Hears of", "Where to", "State"):
                for each in hears:
                    _row(each)


def _row(each: Subscription) -> None:
    with Tag("tr"):
        Tag("th", formats.short(each.name or each.id, 80), "break", scope="row")
        Tag("td", " and ".join(each.kinds) or "entered and exited")
        Tag("td", formats.short(each.webhook.url, 120) if each.webhook else "pulled", "break")
        with Tag("td"):
            badge("paused" if each.paused else each.state, STATES.get(each.state, ""))


def heard(found: subscriptions.Subscriptions, segment: str) -> list[Subscription]:
    """Those that name the segment; those that name none hear of every one."""
    return [each for each in found.subscriptions if not each.segments or segment in each.segments]
