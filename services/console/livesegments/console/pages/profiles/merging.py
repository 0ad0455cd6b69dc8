"""Makes two profiles of one person one, after a question. It can't be undone."""

from __future__ import annotations

from livesegments.client import profiles
from livesegments.console import formats, paths
from livesegments.console.parts.dialog import Dialog, Refuse
from livesegments.console.parts.field import text_field
from livesegments.console.parts.tag import paragraph
from livesegments.console.visit import Visit


def ask(visit: Visit, profile: str) -> None:
    """The dialog; afterwards one sees the profile that stays."""
    dialog = Dialog(visit, f"Merge {formats.short(profile, 80)} into another?")
    with dialog.body:
        paragraph(
            "What this profile has done, and does later, counts for the other one. It leaves its segments. "
            "It can't be undone."
        )
        into = text_field("Id of the profile that stays", longest=256, autocomplete="off", spellcheck="false")

    async def merge() -> None:
        if not into.value:
            raise Refuse("Give the id of the profile that stays.")
        await visit.api.send(profiles.merge(profile, into.value))
        visit.go(paths.profile(into.value))

    dialog.offer("Merge for good", merge, "danger")
    dialog.open()
