"""Makes NiceGUI serve our pages: finds the session and the workspace of a visit, and shows faults instead
of a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from nicegui import Client, ui
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from livesegments.client import Unauthorized, Unreachable, keys, workspaces
from livesegments.client.workspaces import Workspace
from livesegments.console import faults, paths
from livesegments.console.access import answer
from livesegments.console.access.origin import SIGN_IN
from livesegments.console.access.sessions import Session
from livesegments.console.page import Page
from livesegments.console.parts.empty import empty
from livesegments.console.parts.frame import Frame
from livesegments.console.parts.tag import heading
from livesegments.console.visit import Visit

BUILD_S = 20.0
"""A page whose answers take longer says so, and comes by itself."""
SPARE_S = 10.0
"""NiceGUI, which has but a bare text for a page that is too slow, waits so much longer."""
RECONNECT_S = 15.0
"""A page whose connection broke is kept for so long; then it is built anew."""
DARK = {"light": False, "dark": True}


class ThemedPage(ui.page):
    """A page in the theme of whoever asks for it."""

    def resolve_dark(self) -> bool | None:
        return DARK.get(answer.theme.get())


def install(pages: Sequence[Page], lost: Page) -> None:
    """Once a process. `lost`: what is shown where no page is."""
    for page in (*pages, lost):
        title = f"{page.title} · livesegments"
        decorate = ThemedPage(
            page.path, title=title, response_timeout=BUILD_S + SPARE_S, reconnect_timeout=RECONNECT_S
        )
        decorate(_handler(page, pages))


def owner(page: str) -> Session | None:
    """The session of an open page."""
    client = Client.instances.get(page)
    return None if client is None else getattr(client.request.state, "session", None)


def _handler(page: Page, pages: Sequence[Page]) -> Callable[..., Awaitable[Response | None]]:
    async def handle(request: Request, client: Client) -> Response | None:
        session: Session | None = getattr(request.state, "session", None)
        if session is None:  # a file of NiceGUI's that is none: the gate lets everybody ask for them
            return PlainTextResponse("There is no such file.", 404)
        visit: Visit | None = None
        try:
            async with in_time():
                workspace = await _workspace(session)
                if workspace is None and not page.admin:
                    return RedirectResponse(paths.with_query(paths.WORKSPACES, next=_here(request)), 303)
                visit = _framed(page, pages, session, workspace, request, client)
                await _build(page, visit)
            return None
        except Unauthorized:
            session.end("refused")
            return RedirectResponse(paths.with_query(SIGN_IN, reason="refused", next=_here(request)), 303)
        except Exception as error:  # whatever it is: whoever looks sees a page
            if visit is None:
                known = session.known if session.known and session.known.id == session.workspace else None
                _framed(page, pages, session, known, request, client)
            client.content.clear()
            with client.content:
                faults.instead(client, error, partial(session.api.send, keys.own()))
            return None

    return handle


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """To whoever looks, an api whose answers together take too long is one that doesn't answer."""
    try:
        async with asyncio.timeout(BUILD_S):
            yield
    except TimeoutError:
        raise Unreachable(f"Its answers for this page took longer than {BUILD_S:.0f} s.", sent=True) from None


def _framed(
    page: Page,
    pages: Sequence[Page],
    session: Session,
    workspace: Workspace | None,
    request: Request,
    client: Client,
) -> Visit:
    """The header and the navigation, which stand while the api is away, too."""
    visit = Visit(session, workspace, request, client)
    visit.frame = Frame(visit, page, pages)
    client.on_exception(partial(faults.on_page, visit))
    _ends_with(session, client)
    return visit


async def _build(page: Page, visit: Visit) -> None:
    if visit.may(page.needs):
        await page.build(visit)
    else:
        heading(page.title)
        says = f"This page needs an API key with the scope “{page.needs}”: sign in again with such a key."
        empty("Your key does not permit this", says, "lock")


async def _workspace(session: Session) -> Workspace | None:
    if session.workspace is None:
        return None
    found = await session.api.send(workspaces.own())
    session.known = found
    return found


def _ends_with(session: Session, client: Client) -> None:
    """When the session ends, the page goes to the sign-in page, which leads back to it."""

    def end(reason: str) -> None:
        client.run_javascript(f"window.livesegments.signIn('{reason}')")

    session.endings.add(end)
    client.on_delete(lambda: session.endings.discard(end))


def _here(request: Request) -> str:
    return f"{request.url.path}{f'?{request.url.query}' if request.url.query else ''}"
