"""What happened to a profile, the newest first, page by page."""

from __future__ import annotations

from livesegments.client import profiles
from livesegments.client.request import Pages
from livesegments.console import formats, paths, segment_names
from livesegments.console.pages.profiles.moments import Happened, happened
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.tag import Tag, icon, link
from livesegments.console.visit import Visit

PAGE = 50


async def show(visit: Visit, id_: str) -> None:
    names = await segment_names.of_workspace(visit.api)
    with Tag("section", "", "stack", aria_label="Timeline"):
        Tag("h2", "Timeline", "visually-hidden")
        place = Tag("ol", "", "timeline")
        foot = Tag("div", "", "row")
    first: Pages[profiles.Timeline, profiles.Moment] = profiles.timeline(id_, limit=PAGE)

    async def more(request: Pages[profiles.Timeline, profiles.Moment]) -> None:
        page = await visit.api.send(request)
        entered = {str(each.properties.get("segment", "")) for each in page.moments if each.cause is not None}
        unknown = entered - names.keys()
        names.update({each: each for each in unknown} | await segment_names.of(visit.api, unknown))
        with place:
            for moment in page.moments:
                _moment(id_, happened(moment, visit.zone, names))
        foot.clear()
        with foot:
            cursor = page.next_cursor
            if cursor:
                button("Older", lambda: more(request.after(cursor)))

    await more(first)
    if not place.default_slot.children:
        with foot:
            empty("Nothing has happened yet", "Events of this profile stand here within moments.", "history")


def _moment(profile: str, it: Happened) -> None:
    with Tag("li"):
        with Tag("span", "", f"dot {it.kind}"):
            icon(it.picture)
        with Tag("div", "", "grow"):
            with Tag("div", "", "spread"):
                if it.segment:
                    link(it.title, paths.profile(profile, tab="why", segment=it.segment), "break")
                else:
                    Tag("span", it.title, "break")
                Tag("span", it.when, "muted small")
            if it.note:
                Tag("span", it.note, "muted small")
            if it.details:
                with Tag("dl", "", "pairs inline"):
                    for name, value in it.details:
                        with Tag("div"):
                            Tag("dt", name, "break")
                            Tag("dd", value, "break")
            if it.more:
                Tag(
                    "span", f"and {formats.count(it.more, 'more property', 'more properties')}", "muted small"
                )
