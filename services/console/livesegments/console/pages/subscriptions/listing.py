"""All subscriptions of the workspace."""

from __future__ import annotations

from livesegments.client import subscriptions
from livesegments.console import formats, paths
from livesegments.console.pages.subscriptions import shown
from livesegments.console.parts.button import link_button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.table import table
from livesegments.console.parts.tag import Tag, badge, heading, link
from livesegments.console.segment_names import of_workspace
from livesegments.console.visit import Visit

NEW = f"{paths.SUBSCRIPTIONS}/new"


async def build(visit: Visit) -> None:
    found = (await visit.api.send(subscriptions.read_all())).subscriptions
    names = await of_workspace(visit.api, [id_ for each in found for id_ in each.segments[: shown.SEGMENTS]])
    with Tag("div", "", "page-head"):
        heading("Subscriptions")
        if visit.may("write"):
            link_button("New subscription", NEW, "primary", "add")
    if not found:
        empty(
            "Nobody hears of transitions yet",
            "A subscription tells another system who enters and leaves: a webhook, Slack, or whatever pulls.",
            "webhook",
            "New subscription" if visit.may("write") else "",
            NEW,
        )
        return
    with table("Subscriptions", "Name", "Hears", "Goes to", "State"):
        for each in found:
            with Tag("tr"):
                with Tag("th", "", "break", scope="row"):
                    link(formats.short(each.name), paths.subscription(each.id))
                Tag("td", shown.hears(each, names), "break")
                Tag("td", shown.target(each), "break")
                with Tag("td"):
                    badge(*shown.state(each))
