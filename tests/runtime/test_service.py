"""Services as children: ready when they say so, started again when they die."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from livesegments.runtime.embedded.child import StartError
from livesegments.runtime.service import Service, started, watched

TINY = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        Handler.asked += self.path == "/readyz"
        self.send_response(503 if self.path == "/readyz" and Handler.asked < 3 else 200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

HTTPServer((os.environ["LIVESEGMENTS_HOST"], int(os.environ["LIVESEGMENTS_PORT"])), Handler).serve_forever()
"""


@asynccontextmanager
async def serving(folder: Path, code: str = TINY, name: str = "tiny") -> AsyncIterator[Service]:
    (folder / f"{name}_app.py").write_text(code)
    service = Service(name, f"{name}_app", folder, os.environ | {"PYTHONPATH": str(folder)})
    async with started([service]):
        yield service


async def pid(service: Service) -> int:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as client:
        return int((await client.get("/healthz")).text)


async def test_ready_is_waited_for_and_the_end_is_the_end(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.ready(print)
        assert await pid(service) == service.pid
    assert service.child is not None and service.child.ended == -signal.SIGTERM


async def test_one_that_dies_is_reported_and_started_again_on_its_port(tmp_path: Path) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    async with serving(tmp_path) as service, watched([service], said.put_nowait):
        for _ in range(2):
            before, url = service.pid, service.url
            os.kill(before, signal.SIGKILL)
            assert "tiny ended with status -9; again in" in await said.get()
            assert await said.get() == "tiny is back"
            assert service.url == url and await pid(service) != before


async def test_pauses_grow_while_it_does_not_stay(tmp_path: Path) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    async with serving(tmp_path) as service, watched([service], said.put_nowait):
        (tmp_path / "tiny_app.py").write_text("raise SystemExit('out of luck')")
        await service.kill()
        assert "again in 0.2 s" in await said.get()
        assert "out of luck" in await said.get()
        assert "again in 0.4 s" in await said.get()


async def test_one_that_does_not_come_up_ends_them_all(tmp_path: Path) -> None:
    (tmp_path / "good_app.py").write_text(TINY)
    (tmp_path / "bad_app.py").write_text("raise SystemExit('no')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    services = [Service(name, f"{name}_app", tmp_path / name, environment) for name in ("good", "bad")]
    with pytest.raises(StartError, match=r"(?s)bad ended with status 1.*no$"):
        async with started(services):
            pytest.fail("never started")
    assert all(service.child is None or not service.child.running for service in services)
