"""`/metrics`, `/healthz` and `/readyz` of a worker."""

from __future__ import annotations

from aiohttp import web

from livesegments.evaluator.worker import Worker
from livesegments.runtime import metrics

READY_LAG = 1_000
"""Ready means at most so many records behind in each partition."""


def create(worker: Worker) -> web.Application:
    async def show_metrics(_: web.Request) -> web.Response:
        for partition, lag in worker.lags().items():
            metrics.LAG.labels(str(partition)).set(-1 if lag is None else lag)
        return web.Response(
            body=metrics.exposition(metrics.EVALUATOR), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_: web.Request) -> web.Response:
        """Assigned, every partition claimed in Redis and not waiting for it, and caught up."""
        lags = worker.lags()
        reasons = []
        if not worker.assigned:
            reasons.append("no assignment")
        reasons += [f"partition {p}: Redis is away" for p, owner in worker.owners.items() if owner.stranded]
        reasons += [f"partition {p}: end of log not known yet" for p, lag in lags.items() if lag is None]
        behind = {p: lag for p, lag in lags.items() if lag is not None and lag > READY_LAG}
        reasons += [f"partition {p}: {lag} records behind" for p, lag in behind.items()]
        body = {"status": "not ready" if reasons else "ok", "reasons": reasons, "partitions": sorted(lags)}
        return web.json_response(body, status=503 if reasons else 200)

    app = web.Application()
    app.add_routes(
        [web.get("/metrics", show_metrics), web.get("/healthz", health), web.get("/readyz", ready)]
    )
    return app
