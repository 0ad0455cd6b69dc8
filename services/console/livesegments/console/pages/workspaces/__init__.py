"""Companies: an admin chooses the one to act in."""

from livesegments.console.page import Page
from livesegments.console.pages.workspaces import choosing

PAGES = (
    Page(
        path="/workspaces",
        title="Companies",
        build=choosing.build,
        admin=True,
        entry="Companies",
        icon="apartment",
    ),
)
