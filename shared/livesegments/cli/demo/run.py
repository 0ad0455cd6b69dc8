"""The demo from beginning to end: stack, workspaces, segments, two replays, and the proof after each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from livesegments.cli import settle
from livesegments.cli.client import Client
from livesegments.cli.context import Up
from livesegments.cli.demo import cdnow, replay, shop, wheels
from livesegments.cli.demo.asked import ask
from livesegments.cli.demo.heard import Heard, Listener
from livesegments.cli.demo.late import changes
from livesegments.cli.demo.log import Log
from livesegments.cli.demo.proof import Analyst, Comparison, compare
from livesegments.cli.demo.replay import Pace
from livesegments.cli.demo.screen import Screen
from livesegments.cli.demo.view import Row, State
from livesegments.cli.demo.workspace import Workspace
from livesegments.cli.problem import Problem
from livesegments.cli.sender import Sender

LOGS = (cdnow.LOG, shop.LOG)
LOOK_S = 0.2
SETTLE_S = 120.0
SHOWN = 10


class Stage:
    """One log with all that belongs to it: its raw file, its analyst, its workspace, its picture."""

    def __init__(self, log: Log, raw: Path, up: Up) -> None:
        self.log, self.raw = log, raw
        self.analyst = Analyst(log, raw)
        self.workspace = Workspace(log, up)
        names = self.workspace.create_segments()
        self.proving = {segment: segment for segment in log.segments}
        """Segment → the name of its SQL."""
        self.room = asyncio.Event()
        """Set while the evaluator is near enough for the replay to go on."""
        happenings = list(log.read(raw))
        self.happenings = iter(happenings)
        self.state = State(
            title=log.title,
            zone=log.timezone,
            start_ms=happenings[0].time_ms,
            end_ms=milliseconds(log.checkpoints[-1]),
            total=len(happenings),
            rows={id: Row(name) for id, name in names.items()},
        )

    def close(self) -> None:
        self.workspace.close()
        self.analyst.close()

    def prove(self, instant: datetime, heard: Heard) -> list[Comparison]:
        """Every segment: the members of all pages, and those announced, against the analyst's."""
        found = []
        for segment, sql in self.proving.items():
            recomputed = self.analyst.members(sql, instant)
            members = self.workspace.members(segment)
            announced = heard.members[self.log.id, segment]
            found.append(compare(segment, members, announced, recomputed))
        return found


async def run(up: Up, partitions: int, folder: Path, logs: tuple[Log, ...], screen: Screen) -> bool:
    """Replays the logs one after the other. True when every membership was as recomputed, everywhere."""
    equal = True
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(Listener(up.kafka, partitions))
        api = stack.enter_context(Client(up.api, up.admin_key))
        stages: list[Stage] = []
        for log in logs:
            raw, origin = await asyncio.to_thread(wheels.obtain, log, folder)
            screen.say(f"{log.title}: {origin}")
            stage = await asyncio.to_thread(Stage, log, raw, up)
            stack.callback(stage.close)
            stages.append(stage)
        screen.say(f"{sum(len(log.segments) for log in logs)} segments in {len(logs)} workspaces are ready")
        for number, stage in enumerate(stages):
            equal &= await _replay(stage, stages[: number + 1], up, partitions, api, listener, screen)
    return equal


async def _replay(
    stage: Stage,
    begun: list[Stage],
    up: Up,
    partitions: int,
    api: Client,
    listener: Listener,
    screen: Screen,
) -> bool:
    """One log. At its end the logs before it are proven once more: the clock has moved on for them, too."""
    found: list[Comparison] = []
    pace = Pace(stage.state)
    if len(begun) > 1:  # years lie between two logs, and ingest refuses stamps so far beyond its newest
        await _stand_at(datetime.fromtimestamp(stage.state.start_ms / 1000, UTC), api)
    async with _watched(stage, pace, api, listener.heard, screen):
        sending = Sender(up.ingest, stage.workspace.write_key, pace.told, partitions, replay.BATCH)
        async with sending as sender:
            replaying = replay.Replay(stage.log.id, stage.happenings, sender, partitions, stage.room)
            for instant in stage.log.checkpoints:
                stage.state.stage = "replaying"
                await replaying.up_to(milliseconds(instant))
                stage.state.stage = "settling"
                await _stand_at(instant, api)
                await listener.catch_up()
                stage.state.stage = "proving"
                for one in begun if instant == stage.log.checkpoints[-1] else [stage]:
                    proven = await asyncio.to_thread(one.prove, instant, listener.heard)
                    screen.proof(one.log, instant, proven)
                    found += proven
    late = await changes(
        stage.log,
        stage.workspace,
        stage.analyst,
        listener.heard,
        stage.log.checkpoints[-1],
        partial(_announced, api, listener),
    )
    screen.late(stage.log, late)
    end = stage.log.checkpoints[-1]
    asked = await asyncio.to_thread(ask, stage.log, stage.workspace, stage.analyst, end)
    screen.asked(stage.log, asked)
    stage.proving[stage.log.late] = stage.log.edited
    for refused in pace.refused[:SHOWN]:
        screen.say(f"refused: event {refused.line}: {refused.reason} [{refused.code}]")
    if listener.heard.gaps:
        screen.say(f"{listener.heard.gaps:,} transitions were never announced")
    right = all(one.equal for one in found) and not any(one.faults for one in late)
    return right and asked.equal and not pace.refused and not listener.heard.gaps


async def _stand_at(instant: datetime, api: Client) -> None:
    """Brings every partition's clock to the instant, fires all that is due by then, and waits for its end."""
    await asyncio.to_thread(api.call, "POST", "/v1/clock", json={"to": instant.astimezone(UTC).isoformat()})
    await asyncio.to_thread(settle.wait, api, SETTLE_S)


async def _announced(api: Client, listener: Listener) -> None:
    """Waits until all events so far are applied and their transitions are heard."""
    await asyncio.to_thread(settle.wait, api, SETTLE_S)
    await listener.catch_up()


@asynccontextmanager
async def _watched(
    stage: Stage, pace: Pace, api: Client, heard: Heard, screen: Screen
) -> AsyncIterator[None]:
    """Keeps the stage's picture up to date while in it."""
    watching = asyncio.create_task(_watch(stage, pace, api, heard, screen))
    with screen.live(stage.state):
        try:
            yield
        finally:
            stage.room.set()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            show(stage, heard)


async def _watch(stage: Stage, pace: Pace, api: Client, heard: Heard, screen: Screen) -> None:
    while True:
        with suppress(Problem):  # the picture may miss a beat; the replay itself will say what is wrong
            lag = await asyncio.to_thread(settle.read, api)
            behind = sum(part.end - part.applied for part in lag.partitions)
            (stage.room.clear if behind > replay.AHEAD else stage.room.set)()
            pace.beat(time.monotonic(), sum(part.end for part in lag.partitions), behind)
            stage.state.lag = ", ".join(settle.behind(lag, lag))
            clocks = [datetime.fromisoformat(part.clock) for part in lag.partitions if part.clock]
            stage.state.clock_ms = min(map(milliseconds, clocks), default=None)
        show(stage, heard)
        screen.beat(stage.state)
        await asyncio.sleep(LOOK_S)


def show(stage: Stage, heard: Heard) -> None:
    """Brings the rows up to the announced transitions."""
    for segment, row in stage.state.rows.items():
        key = (stage.log.id, segment)
        row.entered, row.exited = heard.entered[key], heard.exited[key]
        row.size = row.entered - row.exited
    stage.state.sample()


def milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
