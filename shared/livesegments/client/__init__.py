"""A typed client of the api. Example:

    from livesegments.client import Client, members, segments

    with Client("http://127.0.0.1:8002", key) as client:
        client.send(segments.create("Recent buyers", definition, id="buyers"))
        for profile in client.each(members.page("buyers")):
            print(profile)

A module for every resource has a function for every route: it gives a `Request`, which says what is asked
and of which type the answer is, and asks nothing. `Client` sends requests, `AsyncClient` does the same with
`await`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livesegments.client.blocking import Client
from livesegments.client.errors import (
    ApiError,
    BadId,
    BadRequest,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    PreconditionFailed,
    Refused,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
    Unreadable,
)
from livesegments.client.request import Pages, Request
from livesegments.client.retry import Retry
from livesegments.client.stream import Transition

if TYPE_CHECKING:
    from livesegments.client.asynchronous import AsyncClient

__all__ = [
    "ApiError",
    "AsyncClient",
    "BadId",
    "BadRequest",
    "Client",
    "Conflict",
    "Forbidden",
    "Gone",
    "Invalid",
    "NotFound",
    "Pages",
    "PreconditionFailed",
    "Refused",
    "Request",
    "Retry",
    "TooManyRequests",
    "Transition",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "Unreadable",
]


def __getattr__(name: str) -> Any:
    """Asyncio is imported with the client that needs it: it takes longer than all the rest."""
    if name == "AsyncClient":
        from livesegments.client.asynchronous import AsyncClient  # noqa: PLC0415

        return AsyncClient
    raise AttributeError(name)
