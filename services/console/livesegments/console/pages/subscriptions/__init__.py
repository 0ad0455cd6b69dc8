"""Subscriptions: who hears of transitions, and what became of their messages."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.subscriptions import listing, making, showing

PAGES = (
    Page(
        path=paths.SUBSCRIPTIONS,
        title="Subscriptions",
        build=listing.build,
        entry="Subscriptions",
        icon="webhook",
    ),
    Page(
        path=f"{paths.SUBSCRIPTIONS}/new",
        title="New subscription",
        build=making.build,
        needs="write",
        under=paths.SUBSCRIPTIONS,
    ),
    Page(
        path=f"{paths.SUBSCRIPTIONS}/{{subscription}}",
        title="Subscription",
        build=showing.build,
        under=paths.SUBSCRIPTIONS,
    ),
)
