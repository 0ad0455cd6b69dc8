"""Faults, as whoever looks sees them: in place of a page, or as a message on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from nicegui import Client, ui

from livesegments.client import ApiError, Forbidden, NotFound, Unauthorized, Unavailable, Unreachable
from livesegments.console.parts.empty import empty
from livesegments.console.visit import Visit, words

LOOK_S = 1.0
AWAY = (Unreachable, Unavailable)

_log = structlog.get_logger(__name__)


def on_page(visit: Visit, error: Exception) -> None:
    """A handler of the page has failed: its owner hears of it."""
    match error:
        case Unauthorized():
            visit.session.end("refused")
        case ApiError():
            visit.say(words(error), bad=True)
        case _:
            visit.say("That did not work: a fault of the console, which stands in its log.", bad=True)


def instead(client: Client, error: Exception, probe: Callable[[], Awaitable[Any]]) -> None:
    """In place of a page that could not be built. Where the api is away, the page comes by itself when
    `probe` says that it is back."""
    match error:
        case Unreachable() | Unavailable():
            client.status_code = 503
            empty(
                "The api does not answer", "This page comes by itself when it is back.", "cloud_off", level=1
            )
            _until_back(probe)
        case NotFound():
            client.status_code = 404
            empty("There is no such thing here", words(error), "search_off", "To the beginning", "/", 1)
        case Forbidden():
            client.status_code = 403
            empty("This key may not see that", words(error), "lock", "To the beginning", "/", 1)
        case ApiError():
            client.status_code = 502
            empty("The api refused this page", words(error), "error_outline", "To the beginning", "/", 1)
        case _:
            client.status_code = 500
            _log.error("a page could not be built", exc_info=error)
            empty(
                "This page has a fault",
                "It stands in the console's log.",
                "error_outline",
                "To the beginning",
                "/",
                1,
            )


def _until_back(probe: Callable[[], Awaitable[Any]]) -> None:
    async def look() -> None:
        try:
            await probe()
        except AWAY:
            return
        except ApiError:
            pass  # it answers, and the page says what
        ui.navigate.reload()

    ui.timer(LOOK_S, look, immediate=False)
