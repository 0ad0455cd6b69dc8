"""Channels and topics with how many said yes and no; topics of segments."""

from __future__ import annotations

from livesegments.client import names, planning, segments
from livesegments.client.request import Pages
from livesegments.client.segments import Segment, Segments
from livesegments.console import formats, paths
from livesegments.console.pages.consent import counted
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, heading, link, paragraph
from livesegments.console.visit import Visit

MOST_SEGMENTS = 1_000


async def build(visit: Visit) -> None:
    heading("Topics and consent")
    events = (await visit.api.send(names.read())).events
    request: Pages[Segments, Segment] = segments.page(limit=MOST_SEGMENTS)
    topics = counted.topics((await visit.api.send(request)).segments)
    given = counted.seen(events, "topic")
    known = [*given, *(topic for topic, _ in topics if topic not in given)][: counted.MOST]
    asked = counted.pairs(counted.seen(events, "channel"), known)
    if not asked:
        empty(
            "Nobody has said yes or no yet",
            'It comes with profiles: send {"profile": …, "consent": {"channel": "email", "state": "opted_in"}}.',
            "verified_user",
        )
    else:
        found = await visit.api.send(planning.preview(counted.question(asked), sample=0))
        _consent(counted.rows(asked, found))
        paragraph(f"Counted over {formats.count(found.profiles, 'profile')}, just now.", "muted small")
    _topics(topics)


def _consent(rows: list[counted.Row]) -> None:
    with Tag("section", "", "stack tight", aria_label="Consent"):
        Tag("h2", "Consent")
        if not rows:
            paragraph("No profile has said yes or no to any of the topics that are known.", "muted")
            return
        with table("Consent", "To what", Column("Opted in", number=True), Column("Opted out", number=True)):
            for row in rows:
                with Tag("tr"):
                    Tag("th", row.says, "break", scope="row")
                    Tag("td", formats.number(row.opted_in), "number")
                    Tag("td", formats.number(row.opted_out), "number")


def _topics(topics: list[tuple[str, str]]) -> None:
    with Tag("section", "", "stack tight section", aria_label="Topics of segments"):
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
