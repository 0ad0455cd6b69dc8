"""A secret is shown once: afterwards nobody can read it any more."""

from __future__ import annotations

from collections.abc import Callable

from livesegments.console.parts.dialog import Dialog
from livesegments.console.parts.field import text_field
from livesegments.console.parts.tag import paragraph
from livesegments.console.visit import Visit


def show(visit: Visit, secret: str, says: str, then: Callable[[], None]) -> None:
    """`then`: when its owner has noted it."""
    dialog = Dialog(visit, "Keep this secret")
    with dialog.body:
        paragraph(f"{says} It is shown this once: put it where the receiver checks signatures.")
        text_field("Secret", secret, readonly=True, classes="mono", spellcheck="false")
    dialog.offer("I have noted it", then)
    dialog.open()
