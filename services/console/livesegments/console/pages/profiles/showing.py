"""One profile: what is known of it now, what happened, and why it is in a segment or not."""

from __future__ import annotations

from livesegments.client import profiles
from livesegments.console import formats, paths
from livesegments.console.pages.profiles import erasing, merging, overview, timeline, why
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.tag import Tag, heading, link
from livesegments.console.visit import Visit

TABS = {"": "Profile", "timeline": "Timeline", "why": "Why"}


async def build(visit: Visit) -> None:
    id_ = visit.part("profile")
    found = await visit.api.send(profiles.read(id_))
    tab = visit.query("tab") if visit.query("tab") in TABS else ""
    with Tag("div", "", "page-head"):
        heading(formats.short(id_), classes="break")
        if visit.may("write") and found.merged_into is None:
            with Tag("div", "", "row"):
                button("Merge …", lambda: merging.ask(visit, id_), picture="merge")
                button("Erase …", lambda: erasing.ask(visit, id_), "danger", "person_remove")
    if found.merged_into is not None:
        with empty("It was merged", "All that it had done counts for another profile.", "merge"):
            link(formats.short(found.merged_into), paths.profile(found.merged_into), "break")
        return
    with Tag("nav", "", "tabs", aria_label="Parts of this profile"):
        for name, title in TABS.items():
            link(title, paths.profile(id_, tab=name), aria_current="page" if name == tab else None)
    match tab:
        case "timeline":
            await timeline.show(visit, id_)
        case "why":
            await why.show(visit, found)
        case _:
            await overview.show(visit, found)
