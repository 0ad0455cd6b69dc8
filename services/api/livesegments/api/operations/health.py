"""For machines: alive, ready, metrics. No key is needed, and nothing of any workspace is shown."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from livesegments.api.context import Ctx
from livesegments.api.web.problems import Problem, responses
from livesegments.runtime import metrics

router = APIRouter(tags=["operations"], responses=responses())


class Health(BaseModel):
    status: Literal["ok"]


# balancers and monitors ask by HEAD as well
@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz")
async def readyz(context: Ctx) -> Health:
    """The store and the broker answer, the catalogue is whole, and evaluators have every partition."""
    await context.redis.ping()
    await context.lags.read()
    if unowned := context.watch.unowned():
        named = ", ".join(map(str, unowned))
        detail = f"No evaluator has partition {named}: is one running? What it keeps up to date stands still."
        raise Problem(503, detail, headers={"Retry-After": "1"})
    if not context.publisher.restored:
        raise Problem(503, "The catalogue is being restored.", headers={"Retry-After": "1"})
    return Health(status="ok")


@router.head("/metrics", include_in_schema=False)
@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def show_metrics() -> Response:
    """Prometheus' text format."""
    return Response(metrics.exposition(metrics.API), media_type=CONTENT_TYPE_LATEST)
