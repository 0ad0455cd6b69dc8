"""What is done to all profiles of a segment at once."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.mass_jobs import listing

PAGES = (
    Page(
        path=paths.MASS_JOBS,
        title="Mass jobs",
        build=listing.build,
        entry="Mass jobs",
        icon="published_with_changes",
    ),
)
