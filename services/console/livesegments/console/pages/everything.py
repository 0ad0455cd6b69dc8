"""All pages, in the order of the navigation. A page that is listed here is served, stands in the navigation
where it has an `entry`, and is walked by the tests of accessibility and of hostile names.

The path that fits first is taken: `/segments/new` comes before `/segments/{id}`.
"""

from __future__ import annotations

from livesegments.console.page import Page
from livesegments.console.pages import (
    audit,
    builder,
    consent,
    feed,
    fields,
    health,
    imports,
    lost,
    mass_jobs,
    profiles,
    rejected,
    segment,
    segments,
    sources,
    subscriptions,
    workspaces,
)

LOST = Page(path="/{path:path}", title="Not found", build=lost.build, admin=True)
"""Where no page is; its path fits any, so it comes last. For admins who have chosen no company yet, too."""
PAGES: tuple[Page, ...] = (
    *segments.PAGES,
    *builder.PAGES,
    *segment.PAGES,
    *profiles.PAGES,
    *feed.PAGES,
    *subscriptions.PAGES,
    *fields.PAGES,
    *consent.PAGES,
    *imports.PAGES,
    *sources.PAGES,
    *mass_jobs.PAGES,
    *rejected.PAGES,
    *audit.PAGES,
    *health.PAGES,
    *workspaces.PAGES,
)
