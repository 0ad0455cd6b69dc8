"""For machines: alive, ready, metrics. No key is needed; nothing of any workspace is told."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from livesegments.api import shapes
from livesegments.api.context import Ctx
from livesegments.api.problems import Problem, responses

router = APIRouter(tags=["operations"], responses=responses())


@router.get("/healthz")
async def healthz() -> shapes.Health:
    """The process answers."""
    return shapes.Health(status="ok")


@router.get("/readyz")
async def readyz(context: Ctx) -> shapes.Health:
    """Redis and the broker answer, and the catalogue is whole."""
    await context.redis.ping()
    await context.lags.read()
    if not context.publisher.restored:
        raise Problem(503, "The catalogue is being restored.", headers={"Retry-After": "1"})
    return shapes.Health(status="ok")


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics() -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
