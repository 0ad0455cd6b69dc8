"""Who enters and leaves, as it happens."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.feed import watching

PAGES = (Page(path=paths.FEED, title="Live feed", build=watching.build, entry="Live feed", icon="sensors"),)
