"""One open page: who looks, where they act, and how a page speaks to the api.

Example of a page's body:

    async def build(visit: Visit) -> None:
        answer = await visit.api.send(segments.read(visit.part("id")))
        text.heading(answer.name)

A page lets faults of the api pass: whoever called it shows them (`faults.py`).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from nicegui import ui

from livesegments.client import ApiError, AsyncClient, Unauthorized, Unavailable, Unreachable
from livesegments.console.access.sessions import Session

if TYPE_CHECKING:
    from nicegui import Client
    from starlette.requests import Request

    from livesegments.client.workspaces import Workspace


class Around(Protocol):
    """What is around a page's content (`parts/frame.py`)."""

    content: ui.element

    def say(self, message: str, bad: bool = False) -> None: ...

    def waiting(self, is_away: bool) -> None: ...


class Visit:
    """`chosen`: the workspace where it acts; None on the pages of admins who have chosen none. `client`:
    the page in the browser."""

    frame: Around

    def __init__(self, session: Session, chosen: Workspace | None, request: Request, client: Client) -> None:
        self.session, self.chosen, self.request, self.client = session, chosen, request, client
        self.zone = ZoneInfo(chosen.timezone if chosen else "UTC")

    @property
    def workspace(self) -> Workspace:
        assert self.chosen is not None, "a page of no workspace asks for its workspace"
        return self.chosen

    @property
    def admin(self) -> AsyncClient:
        """Acts in no workspace: for admin keys, and what concerns all workspaces."""
        return self.session.acting(None)

    @property
    def api(self) -> AsyncClient:
        """Acts in the visit's workspace, even if its owner turns to another one in another tab."""
        return self.session.acting(self.workspace.id)

    def may(self, scope: str) -> bool:
        """Whether the key has the scope: `read`, `write`, `operate`. What it may not is not offered."""
        return self.session.may(scope)

    def part(self, name: str) -> str:
        """A part of the path, such as `id` of `/segments/{id}`."""
        return str(self.request.path_params[name])

    def query(self, name: str, otherwise: str = "") -> str:
        return self.request.query_params.get(name, otherwise)

    def say(self, message: str, bad: bool = False) -> None:
        """A message that a screen reader hears, too; it goes by itself."""
        self.frame.say(message, bad)

    def go(self, path: str) -> None:
        """Opens another page of the console, a path that `paths` has made."""
        assert path.startswith("/") and not path.startswith("//")
        self.client.open(path)

    def address(self, path: str) -> None:
        """What the address bar says from now on: a reload comes back to it."""
        self.client.run_javascript(f"window.livesegments.address({json.dumps(path)})")

    def every(self, seconds: float, look: Callable[[], Awaitable[None]]) -> ui.timer:
        """Calls `look` now and then while the page is open. While the api does not answer, a line at the
        top says so; it goes when the api is back."""

        async def guarded() -> None:
            try:
                await look()
            except (Unreachable, Unavailable):
                self.frame.waiting(True)
            except Unauthorized:
                self.session.end("refused")
            else:
                self.frame.waiting(False)

        return ui.timer(seconds, guarded, immediate=False)


def words(error: ApiError) -> str:
    """An error of the api as a sentence for whoever looks."""
    if isinstance(error, Unreachable | Unavailable):
        return "The api does not answer. Try again in a moment."
    faults = [fault.message for fault in getattr(error, "faults", ())]
    return " ".join(faults[:3]) or str(error)
