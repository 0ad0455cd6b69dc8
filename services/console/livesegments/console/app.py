"""Composition root of the console: `python -m livesegments.console`.

Pages for people, over the api alone: whoever signs in gives an API key, and every page asks the api with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
import uvloop
from fastapi import FastAPI
from nicegui import ui
from nicegui.version import __version__ as nicegui_version
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from livesegments.client import AsyncClient, Retry
from livesegments.console import assets, files, serve, template
from livesegments.console.access import signing
from livesegments.console.access.attempts import Attempts
from livesegments.console.access.guard import Guard
from livesegments.console.access.origin import Origin
from livesegments.console.access.sessions import Sessions
from livesegments.console.pages.everything import LOST, PAGES
from livesegments.runtime import logs, metrics, status, tasks
from livesegments.runtime.clock import wall_ms
from livesegments.runtime.settings import Settings, from_environment

STOP_S = 2
SWEEP_S = 2.0
API_S = 8.0
"""The api has so long for an answer that is not known to take longer."""
RETRY = Retry(attempts=2)
"""Once more, then whoever looks hears of it: pages ask again by themselves."""
NICEGUI = f"/_nicegui/{nicegui_version}"
MARK = Path(__file__).parent / "static" / "mark.svg"
FILES = tuple(f"{NICEGUI}/{each}/" for each in ("static", "components", "libraries", "resources", "esm"))

_log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """Serves while entered; the address."""

    def connect(key: str, workspace: str | None) -> AsyncClient:
        return AsyncClient(settings.console_api_url, key, workspace, timeout_s=API_S, retry=RETRY)

    sessions = Sessions(connect, wall_ms, settings.console_idle_s * 1_000, settings.console_session_s * 1_000)
    origin = Origin(settings.console_url)
    application = _application(sessions, origin, signing.asking(connect))
    guard = Guard(application, sessions, origin, serve.owner, (*FILES, assets.PATH))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(sessions.close)
        await stack.enter_async_context(application.router.lifespan_context(application))
        sweeping = asyncio.create_task(_sweep(sessions))
        stack.push_async_callback(tasks.cancelled, [sweeping])
        address = await stack.enter_async_context(
            status.serving(guard, settings.host, settings.port, STOP_S, ws="websockets-sansio", proxied=True)
        )
        _log.info("serving", address=address, api=settings.console_api_url)
        yield address


def _application(sessions: Sessions, origin: Origin, ask: signing.Ask) -> FastAPI:
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    observed = status.routes(
        metrics.CONSOLE, _always_ready, lambda: metrics.CONSOLE_SESSIONS.set(len(sessions))
    )
    application.router.routes += [
        *observed,
        *signing.routes(sessions, Attempts(wall_ms), origin, ask, assets.PATH),
        *files.ROUTES,
        Route("/session", _session),
        Route("/", _beginning),
        Route("/favicon.ico", _mark),
        Mount(assets.PATH, StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    template.install()
    serve.install(PAGES, LOST)
    ui.add_head_html(assets.HEAD, shared=True)
    ui.run_with(
        application,
        title="livesegments",
        favicon=MARK,
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        binding_refresh_interval=None,
    )
    return application


async def _session(_: Request) -> Response:
    """For pages that have lost their connection: the gate has let this through, so the session is open."""
    return Response(status_code=204)


async def _mark(_: Request) -> Response:
    return FileResponse(MARK)


async def _beginning(_: Request) -> Response:
    return RedirectResponse(PAGES[0].path, 303)


async def _always_ready() -> list[str]:
    """Also while the api is away: the pages say so, and go on when it is back."""
    return []


async def _sweep(sessions: Sessions) -> None:
    while True:
        sessions.sweep()
        await sessions.close_ended()
        await asyncio.sleep(SWEEP_S)


async def serve_until_ended(settings: Settings) -> None:
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    async with serving(settings):
        await ending.wait()


def main() -> None:
    try:
        settings = from_environment(os.environ)
    except ValueError as error:
        sys.exit(str(error))
    logs.configure("console", settings.log_level)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # it has a line for every websocket
    uvloop.run(serve_until_ended(settings))


if __name__ == "__main__":
    main()
