"""Companies: an admin chooses the one to act in."""

from livesegments.console import paths
from livesegments.console.page import Page
from livesegments.console.pages.workspaces import choosing, keys

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
        path=f"{paths.WORKSPACES}/{{workspace}}/keys",
        title="Keys",
        build=keys.build,
        admin=True,
        under=paths.WORKSPACES,
    ),
)
