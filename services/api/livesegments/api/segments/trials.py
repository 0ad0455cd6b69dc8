"""A segment's tests are run wherever its definition or they themselves are edited: one that fails refuses
it."""

from __future__ import annotations

import asyncio
from collections import ChainMap, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import structlog
from fastapi import APIRouter, Path
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from livesegments.api.context import Context, Ctx
from livesegments.api.history import asof
from livesegments.api.segments.finding import found
from livesegments.api.web import times
from livesegments.api.web.auth import Reading
from livesegments.api.web.problems import Problem, responses
from livesegments.api.web.route import Route
from livesegments.api.web.shapes import Instant
from livesegments.core import plan
from livesegments.core.fault import Fault
from livesegments.core.plan import Plan
from livesegments.core.trial import Cut, outcomes
from livesegments.core.value_list import Contents
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import Segment, Workspace

router = APIRouter(prefix="/v1/segments", tags=["segments"], route_class=Route, responses=responses(401, 403))
MOST_DEPENDENTS = 50
"""An edit runs the tests of at most so many segments that depend on it."""
MOST_OF_MANY = 1_000
"""A request that edits several definitions."""

_log = structlog.get_logger(__name__)


class Seen(BaseModel):
    """One expectation, and what came of it."""

    model_config = ConfigDict(populate_by_name=True)

    at: Instant = Field(description="The instant.")
    expected: bool = Field(description="Whether the profile should be in the segment then.")
    is_in: bool | None = Field(alias="in", description="Whether it is; null: the test can't be run.")


class TestedOut(BaseModel):
    """One test, and what came of it."""

    name: str
    passed: bool = Field(description="Whether all is as expected.")
    seen: list[Seen] = Field(description="In the order of the test's `expect`.")
    why: str | None = Field(description="Why it could not be carried out; null: it was.")


class TestsOut(BaseModel):
    """All tests of the segment, in their order."""

    passed: bool = Field(description="Whether all tests pass.")
    tests: list[TestedOut] = Field(description="In their order.")


class Tested(Struct, frozen=True):
    """What came of one test: for each of its instants whether the profile is in; or why it can't be run."""

    seen: tuple[bool, ...] = ()
    why: str | None = None


@router.post("/{id}/test", responses=responses(404))
async def test_segment(
    context: Ctx, workspace: Reading, id_: Annotated[str, Path(alias="id", max_length=64)]
) -> TestsOut:
    """Run the tests of a segment against its present definition. Nothing is changed by it."""
    segment = await found(context, workspace.id, id_)
    snapshot = await context.catalog.segments(workspace.id)
    results = await tested(context, workspace, snapshot.segments, segment)
    shown = [
        TestedOut(
            name=trial.name,
            passed=result.why is None and result.seen == tuple(each.is_in for each in trial.expect),
            seen=[
                Seen(
                    at=times.iso(each.at_ms),
                    expected=each.is_in,
                    is_in=result.seen[number] if result.why is None else None,
                )
                for number, each in enumerate(trial.expect)
            ],
            why=result.why,
        )
        for trial, result in zip(segment.tests, results, strict=True)
    ]
    return TestsOut(passed=all(each.passed for each in shown), tests=shown)


async def put(
    context: Context, workspace: Workspace, decide: Callable[[Snapshot], Segment]
) -> tuple[Segment, int]:
    """As `Catalog.change_segment` for one that is put; its tests hold on just the snapshot that it is
    decided on.

    Raises Problem 422 where one fails, naming the instant."""
    made: list[Segment] = []

    async def held(snapshot: Snapshot) -> Sequence[Segment]:
        made[:] = [decide(snapshot)]
        faults = await failures(context, workspace, snapshot, snapshot.segments, made[0])
        faults += [
            fault for _, fault in await of_dependents(context, workspace, snapshot, {made[0].id: made[0]})
        ]
        if faults:
            raise Problem(422, f"{len(faults)} test(s) of the definition fail; nothing was changed.", faults)
        return made

    sequence = await context.catalog.put_segments(workspace.id, held)
    return made[0], sequence


async def of_dependents(
    context: Context, workspace: Workspace, before: Snapshot, edited: dict[str, Segment]
) -> list[tuple[str, Fault]]:
    """The tests that fail of those that depend on edited definitions, themselves or through others, on the
    segments as all of these would be; with each fault the id of the edited segment that leads to it."""
    changed = [each.id for each in edited.values() if _redefined(before, each)]
    most = MOST_DEPENDENTS if len(changed) == 1 else MOST_OF_MANY
    segments = ChainMap(edited, before.segments)
    found: list[tuple[str, Fault]] = []
    cause, waiting, ran = {id_: id_ for id_ in changed}, deque(changed), 0
    while waiting and ran < most:
        reached = waiting.popleft()
        for id_ in sorted(before.dependents(reached) - cause.keys()):
            cause[id_] = cause[reached]
            waiting.append(id_)
            dependent = segments[id_]
            its_own = id_ in edited and _is_tried(before, dependent)
            if not dependent.tests or dependent.archived_ms or its_own or ran >= most:
                continue
            ran += 1
            for fault in await _failing(context, workspace, segments, dependent):
                told = f"segment '{id_}' ({dependent.name}) depends on it: {fault.message}"
                found.append((cause[id_], Fault("/definition", "test_failed", told)))
    return found


def _redefined(before: Snapshot, segment: Segment) -> bool:
    old = before.segments.get(segment.id)
    return old is not None and old.definition != segment.definition


def _is_tried(before: Snapshot, segment: Segment) -> bool:
    """Whether its tests or its definition are others than before."""
    old = before.segments.get(segment.id)
    return old is None or (old.tests, old.definition) != (segment.tests, segment.definition)


async def failures(
    context: Context,
    workspace: Workspace,
    before: Snapshot,
    segments: Mapping[str, Segment],
    segment: Segment,
) -> list[Fault]:
    """Of an edit: nothing where neither the tests nor the definition are others than `before`."""
    if not segment.tests or not _is_tried(before, segment):
        return []
    return await _failing(context, workspace, segments, segment)


async def _failing(
    context: Context, workspace: Workspace, segments: Mapping[str, Segment], segment: Segment
) -> list[Fault]:
    faults = []
    results = await tested(context, workspace, segments, segment)
    for number, (trial, result) in enumerate(zip(segment.tests, results, strict=True)):
        at = f"/tests/{number}"
        if result.why is not None:
            faults.append(Fault(at, "test_failed", f"'{trial.name}' can't be carried out: {result.why}"))
        for place, (each, is_in) in enumerate(zip(trial.expect, result.seen, strict=False)):
            if each.is_in != is_in:
                words = {True: "in", False: "not in"}
                told = f"'{trial.name}': at {times.iso(each.at_ms)} the profile is {words[is_in]} the segment"
                faults.append(Fault(f"{at}/expect/{place}", "test_failed", told))
    return faults


async def tested(
    context: Context, workspace: Workspace, segments: Mapping[str, Segment], segment: Segment
) -> list[Tested]:
    """Its tests with its definition; the segments that this names are as they are in `segments`."""
    if segment.definition is None or not segment.tests:
        return []
    others = asof.needed(segment.definition, segments, segment.id)
    made = [plan.Segment(segment.id, 1, 0, segment.definition)]
    for id_, each in others.items():
        version, node = (each, None) if isinstance(each, int) else (1, each)
        made.append(plan.Segment(id_, version, 0, node))
    contents = await context.contents.of(workspace.id, [each.definition for each in made])
    return await asyncio.to_thread(_run, workspace, made, contents, segment)


def _run(
    workspace: Workspace, segments: list[plan.Segment], contents: Contents, segment: Segment
) -> list[Tested]:
    compiled = plan.compile(workspace.id, workspace.timezone, segments, 0, contents=contents)
    return [_one(compiled, segment, number) for number in range(len(segment.tests))]


def _one(compiled: Plan, segment: Segment, number: int) -> Tested:
    """What an event of it does to our own code is told, too: it is a fault of ours, and in the log."""
    trial = segment.tests[number]
    try:
        return Tested(tuple(outcomes(compiled, segment.id, trial)))
    except Cut as cut:
        return Tested(why=str(cut))
    except Exception as error:
        _log.error("a test of a definition raised", segment=segment.id, test=number, exc_info=error)
        return Tested(why="an error of ours; it is in the log")
