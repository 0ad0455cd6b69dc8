"""Profiles from files."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.imports import listing, mapping

PAGES = (
    Page(path=paths.IMPORTS, title="Imports", build=listing.build, entry="Imports", icon="upload_file"),
    Page(path=f"{paths.IMPORTS}/{{import}}", title="Import", build=mapping.build, under=paths.IMPORTS),
)
