"""When a source is read next, and the job that does it."""

from __future__ import annotations

import msgspec
import structlog

from livesegments.api.context import Context
from livesegments.api.sources.runs import KIND, Asked
from livesegments.api.web.problems import Problem
from livesegments.store.actor import Actor, act_as
from livesegments.store.jobs import Job
from livesegments.store.source_runs import Run
from livesegments.wire.catalog import Segment, Source

_log = structlog.get_logger(__name__)


def next_ms(source: Source, last: Run | None) -> int | None:
    """None: when it is asked for. A source that was edited since is read at once."""
    if not source.every_s:
        return None
    if last is None or last.begun_ms < source.since_ms:
        return source.since_ms
    return last.begun_ms + source.every_s * 1_000


async def under_way(context: Context, segment: Segment) -> Job | None:
    """The run of the segment's source that has not ended yet."""
    for job in await context.jobs.store.every(segment.workspace, KIND, context.now_ms()):
        if job.is_open and msgspec.json.decode(job.spec, type=Asked).segment == segment.id:
            return job
    return None


async def run_if_due(context: Context, segment: Segment) -> None:
    assert segment.source is not None
    due_ms = next_ms(segment.source, await context.source_runs.last(segment.workspace, segment.id))
    if due_ms is None or due_ms > context.now_ms() or segment.archived_ms:
        return
    if await under_way(context, segment) is not None:
        return
    act_as(Actor("schedule"))
    try:
        await context.jobs.begin(segment.workspace, KIND, Asked(segment.id), 0)
    except Problem as problem:
        _log.warning("a source can't be read yet", segment=segment.id, reason=str(problem.detail))
