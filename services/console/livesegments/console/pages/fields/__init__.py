"""Fields: what was seen, what is declared, and what is computed."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.fields import listing

PAGES = (Page(path=paths.FIELDS, title="Fields", build=listing.build, entry="Fields", icon="schema"),)
