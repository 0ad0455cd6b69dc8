"""The receiver of docs/notifications.md, run as it stands there; and the body that the page shows."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from livesegments.core.event import Transition
from livesegments.notify.templates import transitions
from livesegments.runtime.embedded.ports import free_port
from livesegments.runtime.embedded.stack import Stack
from livesegments.wire.subscription import Webhook
from tests.services.notify.rig import SECRET, rigged

PAGE = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text("utf-8")


def fence(kind: str) -> str:
    found: list[str] = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return found[0]


async def test_the_receiver_of_the_page_prints_every_transition_once(
    clean_stack: Stack, tmp_path: Path
) -> None:
    port, file = free_port(), tmp_path / "receiver.py"
    file.write_text(fence("python"))
    environment = os.environ | {"SECRET": SECRET, "PORT": str(port)}
    receiver = await asyncio.create_subprocess_exec(sys.executable, str(file), env=environment, stdout=PIPE)
    assert receiver.stdout is not None
    try:
        async with rigged(clean_stack, tmp_path) as rig, asyncio.timeout(60):
            rule = await rig.subscribe("page", f"http://127.0.0.1:{port}/segments", kinds=("entered",))
            rig.start()
            await rig.ready()
            told = rig.story(12, 6)
            await rig.announce(*told, *told)  # the topic may hold repeats
            lines = [(await receiver.stdout.readline()).decode().strip() for _ in range(6)]
        assert rule.webhook is not None
        assert sorted(lines) == [f"p{number} entered vip" for number in range(6)]
    finally:
        receiver.kill()
        await receiver.wait()


def test_the_body_is_as_the_page_shows() -> None:
    at_ms = 1_769_851_800_000
    told = Transition("5f2b0c", "shop", "vip", "ann", "entered", at_ms, 1, "event", "order-7", 1)
    assert transitions(Webhook("", ()), [told], False) == json.loads(fence("json"))
