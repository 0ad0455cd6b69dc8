"""Channels and topics with how many said yes and no; topics of segments."""

from __future__ import annotations

from nicegui import ui

from livesegments.client import Unavailable, Unreachable, planning, segments
from livesegments.client.request import Pages
from livesegments.client.segments import Segment, Segments
from livesegments.console import formats, paths
from livesegments.console.pages.consent import counted
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import text_field
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, heading, link, paragraph
from livesegments.console.visit import Visit

MOST_SEGMENTS = 1_000
LONGEST = 200
AGAIN_S = 2.0


async def build(visit: Visit) -> None:
    channel, topic = visit.query("channel")[:LONGEST], visit.query("topic")[:LONGEST]
    with Tag("div", "", "page-head"):
        heading("Topics and consent")
    with Tag("form", "", "find", role="search", method="get", action=paths.CONSENT):
        for label, name, value in (("Channel", "channel", channel), ("Topic", "topic", topic)):
            text_field(label, value, longest=LONGEST).control.set(name=name)
        with Tag("button", "", "button", type="submit"):
            Tag("span", "Count")
    request: Pages[Segments, Segment] = segments.page(limit=MOST_SEGMENTS)
    found = (await visit.api.send(request)).segments
    asked = counted.asked_about(found, channel, topic)
    place = Tag("div")
    with place:
        paragraph("Counting …", "muted").set(role="status")
    _topics(counted.topics(found))

    async def count() -> None:
        """History is asked, which may take a moment: the page is there before."""
        try:
            preview = await visit.api.send(planning.preview(counted.question(asked), sample=0))
        except (Unreachable, Unavailable):
            with place:
                ui.timer(AGAIN_S, count, once=True)
            return
        place.clear()
        with place:
            _consent(counted.rows(asked, preview), formats.count(preview.profiles, "profile"))

    with place:
        ui.timer(0, count, once=True)


def _consent(rows: list[counted.Row], of: str) -> None:
    with Tag("section", "", "stack tight"):
        Tag("h2", "Consent")
        if not rows:
            empty(
                "Nobody has said yes or no to these",
                'It comes with profiles: {"profile": …, "consent": {"channel": "sms", "state": "opted_in"}}.',
                "verified_user",
            )
            return
        with table("Consent", "To what", Column("Opted in", number=True), Column("Opted out", number=True)):
            for row in rows:
                with Tag("tr"):
                    Tag("th", row.says, "break", scope="row")
                    Tag("td", formats.number(row.opted_in), "number")
                    Tag("td", formats.number(row.opted_out), "number")
        paragraph(
            f"Counted over {of}: the channels and topics that segments name, and the usual ones.",
            "muted small",
        )


def _topics(topics: list[tuple[str, str]]) -> None:
    with Tag("section", "", "stack tight section"):
        Tag("h2", "Topics of segments")
        if not topics:
            paragraph("No segment has a topic yet: give it some where it is edited.", "muted")
            return
        with table("Topics of segments", "Topic", "Used by"):
            for topic, count in topics:
                with Tag("tr"):
                    with Tag("th", "", "break", scope="row"):
                        link(formats.short(topic), paths.with_query(paths.SEGMENTS, topic=topic))
                    Tag("td", count)
