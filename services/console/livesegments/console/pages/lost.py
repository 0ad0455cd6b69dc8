"""What is shown where no page is."""

from __future__ import annotations

from livesegments.console.parts.empty import empty
from livesegments.console.visit import Visit


async def build(visit: Visit) -> None:
    visit.client.status_code = 404
    says = "The address may be cut off, or what it led to has another one by now."
    empty("There is no such page", says, "search_off", "To the beginning", "/", 1)
