"""The list of segments."""

from livesegments.console.page import Page
from livesegments.console.pages.segments import listing

PAGES = (Page(path="/segments", title="Segments", build=listing.build, entry="Segments", icon="donut_small"),)
