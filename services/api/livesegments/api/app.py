"""Composition root of the api service: `python -m livesegments.api.app`."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial

import structlog
import uvicorn
from aiokafka.errors import KafkaError
from fastapi import FastAPI

from livesegments.api.audiences import audiences, frozen, saved_lists
from livesegments.api.audiences.freezing import Freezer
from livesegments.api.audiences.list_jobs import ListJobs
from livesegments.api.context import Context
from livesegments.api.exports import exports
from livesegments.api.exports.exporting import Exporter
from livesegments.api.exports.kept import KeptExports
from livesegments.api.fields import computed_attributes, declared_fields, names, value_lists
from livesegments.api.history import flows, forecasts, past, planning, preview
from livesegments.api.imports import imports
from livesegments.api.imports.arrival import Arrivals
from livesegments.api.imports.work import Files, Imports
from livesegments.api.jobs.jobs import Jobs
from livesegments.api.mass import mass_jobs
from livesegments.api.mass.work import MassJobs
from livesegments.api.members import lists, members, transitions
from livesegments.api.members.announcements import Announcements
from livesegments.api.members.served import ServedPlans
from livesegments.api.operations import (
    across,
    audit,
    caller,
    erasures,
    health,
    keys,
    operations,
    rejected,
    workspace,
    workspaces,
)
from livesegments.api.operations.lag import Lags
from livesegments.api.operations.refusals import Refusals
from livesegments.api.operations.watch import Watch
from livesegments.api.profiles import batches as profile_batches
from livesegments.api.profiles import explanations, merging, profiles, timelines
from livesegments.api.profiles.moments import Timelines
from livesegments.api.profiles.plans import Plans
from livesegments.api.rules import rules
from livesegments.api.rules.keeping import Keeper
from livesegments.api.segments import (
    archiving,
    batch,
    builds,
    by_attribute,
    checking,
    listing,
    segments,
    templates,
    trials,
    versions,
)
from livesegments.api.sources import sources
from livesegments.api.sources.connections import Connections
from livesegments.api.sources.runs import Runs
from livesegments.api.subscriptions import deliveries as subscription_deliveries
from livesegments.api.subscriptions import pulling as subscription_transitions
from livesegments.api.subscriptions import subscriptions
from livesegments.api.web import docs, openapi, problems
from livesegments.api.web.inbound import Inbound
from livesegments.api.web.paths import WholePaths
from livesegments.api.web.publisher import Publisher
from livesegments.api.web.quick import Quick
from livesegments.api.web.records import Records
from livesegments.api.web.ways import ways_of
from livesegments.history.asker import Asker
from livesegments.runtime import logs, tasks
from livesegments.runtime.clock import wall_ms
from livesegments.runtime.connection import Connection
from livesegments.runtime.retry import until_done
from livesegments.runtime.sealing import Seal
from livesegments.runtime.settings import Settings, from_environment
from livesegments.store.audiences import Audiences
from livesegments.store.catalog import Catalog
from livesegments.store.client import connect
from livesegments.store.contents import StoredContents
from livesegments.store.course import Course
from livesegments.store.departures import Departures
from livesegments.store.erasures import Notes
from livesegments.store.exports import Exports
from livesegments.store.frozen import FrozenStore
from livesegments.store.jobs import JobStore
from livesegments.store.kept import Kept
from livesegments.store.lanes import Lanes
from livesegments.store.members import Members
from livesegments.store.names import NameStore
from livesegments.store.profiles import Profiles
from livesegments.store.source_runs import SourceRuns
from livesegments.store.standing import Heads
from livesegments.store.suppressions import Suppressions
from livesegments.store.versions import Versions

VERSION = "1"
DESCRIPTION = """Live customer segments: definitions, membership, profiles.

- A key is `Authorization: Bearer KEY`. It is of one workspace and has scopes (`ingest`, `read`, `write`,
  `operate`); an admin key has them all, and says with `X-Workspace` where it acts.
- Every error is `application/problem+json` (RFC 9457); `errors` lists every fault with a JSON pointer.
- Every answer has an `X-Request-Id`, the caller's own if the request had one; the audit log names it.
- Lists come in pages: give `next_cursor` back as `cursor` until it is null.
- `GET /v1/transitions` streams who enters and leaves as server-sent events; docs/asyncapi.yaml describes it.
"""
TAGS = [
    {"name": "workspaces", "description": "Tenants and their keys: for admin keys."},
    {"name": "segments", "description": "Definitions, with their size, state and progress."},
    {"name": "segment rules", "description": "A segment for every value of an attribute, also for new ones."},
    {"name": "sources", "description": "Lists that are kept equal to databases and files of others."},
    {"name": "members", "description": "Who is in a segment now, and the lists of static segments."},
    {"name": "imports", "description": "Profiles from a CSV file."},
    {"name": "audiences", "description": "Whom a send reaches: segments with and without, consent, shares."},
    {"name": "profiles", "description": "What is known of one profile."},
    {"name": "computed attributes", "description": "Measures with a name, kept live for every profile."},
    {"name": "value lists", "description": "Values that conditions name by reference."},
    {"name": "fields", "description": "Attributes that are declared with a type."},
    {"name": "subscriptions", "description": "Who hears of transitions, and how they are sent."},
    {"name": "audit", "description": "Who changed what, and when."},
    {"name": "operations", "description": "For those who run it."},
]
STOP_S = 2
"""An answer under way may delay the end of the service by at most this long."""
COUNTING = 2
"""Audiences that are walked at a time."""
ASK_S = 30.0
"""A question about history takes at most this long."""

_log = structlog.get_logger(__name__)


def create(settings: Settings, now_ms: Callable[[], int]) -> FastAPI:
    """The application; it opens what it needs when it starts, and answers 503 to edits until it is whole."""
    app = FastAPI(
        title="livesegments",
        version=VERSION,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        generate_unique_id_function=lambda route: route.name,
        lifespan=_lifespan(settings, now_ms),
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(WholePaths)
    app.add_middleware(Quick)
    resources = (
        # the first that fits is taken, one after the other: the busiest come first
        members, explanations, profiles, listing, checking, batch, preview, planning, past, builds, segments,
        versions, archiving, trials, templates, by_attribute, names, lists, value_lists, computed_attributes,
        subscriptions, workspace, workspaces, keys,
        forecasts, flows, timelines, merging, operations, rejected,
        declared_fields,
        audit,
        across,
        imports,
        mass_jobs,
        transitions, erasures, exports, health,
        profile_batches, audiences,
        frozen, saved_lists,
        rules, sources,
        subscription_deliveries, subscription_transitions,
        caller,
    )  # fmt: skip
    problems.install(app, ways_of(resource.router for resource in resources))
    openapi.install(app)
    docs.install(app)
    for resource in resources:
        app.include_router(resource.router)
    return app


def _lifespan(
    settings: Settings, now_ms: Callable[[], int]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        context = _context(settings, now_ms)
        app.state.context = context
        Runs(context)
        watching = [
            asyncio.create_task(tasks.kept_going(each))
            for each in (
                partial(_keep_whole, context.publisher),
                context.watch.run,
                Exporter(context).run,
                Keeper(context).run,
                context.jobs.run,
                partial(audit.keep_bounded, context),
                partial(imports.keep_tidy, context),
            )
        ]
        try:
            yield
        finally:
            await tasks.cancelled(watching)
            await context.announcements.close()
            await context.freezer.close()
            await context.publisher.close()
            await context.inbound.close()
            await context.records.close()
            await context.lags.close()
            await context.refusals.close()
            await context.asker.close()
            await context.redis.aclose()

    return lifespan


def _context(settings: Settings, now_ms: Callable[[], int]) -> Context:
    redis = connect(settings.redis)
    catalog = Catalog(redis, now_ms)
    contents = StoredContents(redis)
    lags, course = Lags(settings.kafka, redis, settings.partitions), Course(redis)
    heads = Heads(redis, settings.partitions, lags.committed)
    stored = Profiles(redis, heads)
    follow_log = settings.clock == "log"
    archive = settings.archive or f"{settings.data}/archive"
    erasures = Notes(redis, heads)
    reader, freezes, walking = Audiences(heads), FrozenStore(redis, heads), asyncio.Semaphore(COUNTING)
    records = Records(settings.kafka, stored, settings.partitions, now_ms, follow_log)
    jobs = Jobs(JobStore(redis), now_ms)
    refusals, publisher = Refusals(settings.kafka), Publisher(redis, catalog, settings.kafka)
    inbound = Inbound(settings.kafka, stored, now_ms, follow_log)
    files = Files(settings.imports or f"{settings.data}/imports")
    return Context(
        settings=settings,
        now_ms=now_ms,
        redis=redis,
        catalog=catalog,
        contents=contents,
        versions=Versions(redis),
        heads=heads,
        publisher=publisher,
        members=Members(redis, heads),
        profiles=stored,
        names=NameStore(redis),
        plans=Plans(catalog, contents),
        served=ServedPlans(redis, heads, contents),
        records=records,
        lags=lags,
        watch=Watch(lags, heads, course, now_ms, settings.unowned_ms / 1_000),
        course=course,
        refusals=refusals,
        announcements=Announcements(settings.kafka, settings.partitions),
        asker=Asker(archive, settings.redis, settings.partitions, ASK_S),
        timelines=Timelines(archive, redis, settings.partitions),
        forecasting=asyncio.Semaphore(1),
        erasures=erasures,
        exports=KeptExports(Exports(redis), settings.exports or f"{settings.data}/exports", erasures),
        suppressions=Suppressions(redis, settings.partitions, settings.erasure_key),
        audiences=reader,
        counting=walking,
        frozen=freezes,
        jobs=jobs,
        kept=Kept(redis),
        seal=Seal(settings.secrets_key),
        connections=Connections(settings.sources, os.environ),
        source_runs=SourceRuns(redis),
        list_jobs=ListJobs(catalog, reader, jobs, stored, records, lags, walking),
        inbound=inbound,
        mass=MassJobs(
            reader, stored, records, inbound, walking, settings.erasure_key, jobs, catalog, publisher
        ),
        imports=Imports(catalog, files, inbound, erasures, jobs, Arrivals(lags, refusals), now_ms),
        departures=Departures(reader, freezes),
        freezer=Freezer(
            reader, freezes, walking, now_ms, settings.frozen_audiences, settings.frozen_profiles
        ),
        lanes=Lanes(redis),
    )


async def _keep_whole(publisher: Publisher) -> None:
    await until_done(publisher.restore, KafkaError, OSError)
    await publisher.watch()


class Server(uvicorn.Server):
    """Ends the streams first: they would never end by themselves."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        context: Context = self.config.app.state.context  # type: ignore[union-attr]
        await context.announcements.close()
        await super().shutdown(sockets)


def config(application: FastAPI, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        loop="uvloop",
        http=Connection,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=STOP_S,
    )


def main() -> None:
    try:
        settings = from_environment(os.environ)
    except ValueError as error:
        sys.exit(str(error))
    logs.configure("api", settings.log_level)
    application = create(settings, wall_ms)
    _spare_the_collector()
    server = Server(config(application, settings.host, settings.port))
    with suppress(KeyboardInterrupt):
        server.run([_shared(settings)] if settings.share_port else None)
    if not server.started:
        sys.exit(1)


def _spare_the_collector() -> None:
    """Routes and models stay for ever: a full collection would walk them all while requests wait."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _shared(settings: Settings) -> socket.socket:
    """A socket on a port on which other processes of the api listen, too."""
    if not settings.port:
        sys.exit("LIVESEGMENTS_SHARE_PORT needs a LIVESEGMENTS_PORT to share")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    address = settings.host, settings.port
    try:
        return socket.create_server(address, family=family, backlog=2_048, reuse_port=True)
    except OSError as error:
        sys.exit(f"{settings.host}:{settings.port} can't be listened on: {error.strerror}")


if __name__ == "__main__":
    main()
