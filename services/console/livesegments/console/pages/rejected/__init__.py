"""What was refused, and why."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.rejected import listing

PAGES = (Page(path=paths.REJECTED, title="Rejected", build=listing.build, entry="Rejected", icon="block"),)
