"""Profiles: finding one, and all that is known of it."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.profiles import finding, showing

PAGES = (
    Page(
        path=paths.PROFILES,
        title="Profiles",
        build=finding.build,
        entry="Profiles",
        icon="person_search",
    ),
    Page(
        path=f"{paths.PROFILES}/{{profile:path}}",
        title="Profile",
        build=showing.build,
        under=paths.PROFILES,
    ),
)
