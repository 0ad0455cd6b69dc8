"""Companies: an admin chooses the one to act in."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.workspaces import choosing, keys, segments

PAGES = (
    Page(
        path="/workspaces",
        title="Companies",
        build=choosing.build,
        admin=True,
        entry="Companies",
        icon="apartment",
    ),
    Page(
        path=paths.ALL_SEGMENTS,
        title="Segments of all companies",
        build=segments.build,
        admin=True,
        under=paths.SEGMENTS,
    ),
    Page(
        path=f"{paths.WORKSPACES}/{{workspace}}/keys",
        title="Keys",
        build=keys.build,
        admin=True,
        under=paths.WORKSPACES,
    ),
)
