"""Who changed what, and when."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.audit import listing

PAGES = (Page(path=paths.AUDIT, title="Audit log", build=listing.build, entry="Audit log", icon="history"),)
