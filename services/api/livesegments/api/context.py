"""The objects that the resources work with: the composition root makes them and puts them on the
application's state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from livesegments.api.audiences.freezing import Freezer
from livesegments.api.audiences.list_jobs import ListJobs
from livesegments.api.exports.kept import KeptExports
from livesegments.api.imports.work import Imports
from livesegments.api.jobs.jobs import Jobs
from livesegments.api.mass.work import MassJobs
from livesegments.api.members.announcements import Announcements
from livesegments.api.members.served import ServedPlans
from livesegments.api.operations.lag import Lags
from livesegments.api.operations.refusals import Refusals
from livesegments.api.operations.watch import Watch
from livesegments.api.profiles.moments import Timelines
from livesegments.api.profiles.plans import Plans
from livesegments.api.sources.connections import Connections
from livesegments.api.web.inbound import Inbound
from livesegments.api.web.publisher import Publisher
from livesegments.api.web.records import Records
from livesegments.history.asker import Asker
from livesegments.runtime.sealing import Seal
from livesegments.runtime.settings import Settings
from livesegments.store.audiences import Audiences
from livesegments.store.catalog import Catalog
from livesegments.store.contents import StoredContents
from livesegments.store.course import Course
from livesegments.store.departures import Departures
from livesegments.store.erasures import Notes
from livesegments.store.frozen import FrozenStore
from livesegments.store.kept import Kept
from livesegments.store.lanes import Lanes
from livesegments.store.members import Members
from livesegments.store.names import NameStore
from livesegments.store.profiles import Profiles
from livesegments.store.source_runs import SourceRuns
from livesegments.store.standing import Heads
from livesegments.store.suppressions import Suppressions
from livesegments.store.versions import Versions
from livesegments.wire.catalog import Quotas, Workspace


@dataclass(frozen=True)
class Context:
    settings: Settings
    now_ms: Callable[[], int]
    redis: Any
    catalog: Catalog
    contents: StoredContents
    versions: Versions
    heads: Heads
    publisher: Publisher
    members: Members
    profiles: Profiles
    names: NameStore
    plans: Plans
    served: ServedPlans
    records: Records
    lags: Lags
    refusals: Refusals
    watch: Watch
    course: Course
    announcements: Announcements
    asker: Asker

    @property
    def quotas(self) -> Quotas:
        """Of a workspace that has none of its own."""
        settings = self.settings
        return Quotas(
            settings.quota_events_per_s or None,
            settings.quota_segments,
            settings.quota_profiles or None,
            settings.quota_names,
        )

    def history_days(self, workspace: Workspace) -> int:
        """For how many days its events are kept; 0: for ever."""
        own = workspace.history_days
        return self.settings.history_days if own is None else own

    timelines: Timelines
    forecasting: asyncio.Semaphore
    """One forecast at a time takes the processor."""
    erasures: Notes
    exports: KeptExports
    suppressions: Suppressions
    lanes: Lanes
    audiences: Audiences
    frozen: FrozenStore
    departures: Departures
    freezer: Freezer
    jobs: Jobs
    list_jobs: ListJobs
    inbound: Inbound
    imports: Imports
    mass: MassJobs
    kept: Kept
    seal: Seal
    connections: Connections
    source_runs: SourceRuns
    counting: asyncio.Semaphore
    """So many audiences are walked at a time."""


async def of(request: Request) -> Context:
    """Async although it awaits nothing: FastAPI would else send it through a thread."""
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(of)]
