"""What profiles consented to, by channel and topic, and the topics of segments."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.consent import listing

PAGES = (
    Page(
        path=paths.CONSENT,
        title="Topics and consent",
        build=listing.build,
        entry="Consent",
        icon="verified_user",
    ),
)
