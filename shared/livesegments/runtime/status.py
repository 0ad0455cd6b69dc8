"""`/healthz`, `/readyz` and `/metrics` of a service, and the server that it has them on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from livesegments.runtime import metrics

BACKLOG = 1_024

Reasons = Callable[[], Awaitable[Sequence[str]]]
"""Why the service is not ready, a sentence each; none: it is."""


def routes(
    service: CollectorRegistry, not_ready: Reasons, refresh: Callable[[], None] = lambda: None
) -> list[Route]:
    """`refresh` is called before the metrics are shown, for those that are only known when asked."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        if reasons := await not_ready():
            body = {"status": "not ready", "reasons": list(reasons)}
            return JSONResponse(body, 503, headers={"Retry-After": "1"})
        return JSONResponse({"status": "ok"})

    async def show_metrics(_: Request) -> Response:
        refresh()
        return Response(metrics.exposition(service), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", show_metrics)]


class _Server(uvicorn.Server):
    """Signals are the composition root's."""

    @contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


@asynccontextmanager
async def serving(
    application: Any,
    host: str,
    port: int,
    stop_s: int,
    http: Any = "auto",
    ws: Any = "none",
    proxied: bool = False,
) -> AsyncIterator[str]:
    """The address, while it is entered; then requests under way have `stop_s` to be answered. `proxied`: a
    proxy on this machine says whose request it is."""
    listener = socket.create_server((host, port), backlog=BACKLOG)
    host, port = listener.getsockname()[:2]
    server = _Server(
        uvicorn.Config(
            application,
            http=http,
            ws=ws,
            log_config=None,
            access_log=False,
            proxy_headers=proxied,
            lifespan="off",
            timeout_graceful_shutdown=stop_s,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await running
