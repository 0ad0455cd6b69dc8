"""Lists that are kept equal to databases and files of others."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.sources import listing, making, showing

PAGES = (
    Page(
        path=paths.SOURCES,
        title="External lists",
        build=listing.build,
        entry="External lists",
        icon="sync_alt",
    ),
    Page(
        path=f"{paths.SOURCES}/new",
        title="New external list",
        build=making.new,
        needs="write",
        under=paths.SOURCES,
    ),
    Page(
        path=f"{paths.SOURCES}/{{segment}}",
        title="External list",
        build=showing.build,
        under=paths.SOURCES,
    ),
    Page(
        path=f"{paths.SOURCES}/{{segment}}/edit",
        title="Edit external list",
        build=making.edit,
        needs="write",
        under=paths.SOURCES,
    ),
)
