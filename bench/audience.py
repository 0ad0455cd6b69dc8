"""A campaign's sender: freezes an audience and reads all its pages, with everybody's e-mail address.

`python -m bench audience`. The profiles are written into Redis as an evaluator leaves them: 12 attributes, consents, some
memberships, states of facts. The audience is a segment of them all, without the members of another one, with consent to
e-mails. The sender is a process of its own, with one connection; it checks that everybody comes exactly once and with
the right address.
"""

from __future__ import annotations

import asyncio
import http.client
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from bench import harness, workload
from bench.used import cpu_s
from livesegments.core.profile import Membership, Profile, Register, consent_key, encode
from livesegments.runtime.embedded.stack import Stack
from livesegments.store import keys
from livesegments.store.catalog import digest
from livesegments.wire import catalog
from livesegments.wire.topics import DEFINITIONS, partition_of

KEY = "bench-audience-key"
LIMIT = 10_000
BATCH = 5_000
EXCLUDED_EVERY = 50
OPTED_OUT_EVERY = 25
FACTS = bytes(160)


class Sent(Struct, frozen=True):
    """Seconds until the token was ready, and for all pages; `frozen_bytes`: what the token takes in Redis."""

    profiles: int
    wanted: int
    read: int
    twice: int
    wrong: int
    freeze_s: float
    pages_s: float
    pages: int
    frozen_bytes: int
    sender_cpu_s: float
    api_cpu_s: float = 0.0
    store_cpu_s: float = 0.0
    """Without the filling: what doesn't depend on what else the machine does. `store`: Valkey and the idle broker."""


def in_audience(number: int) -> bool:
    return number % EXCLUDED_EVERY != 0 and number % OPTED_OUT_EVERY != 1


def email(id_: str) -> str:
    return f"{id_}@customers.example.com"


def named(number: int) -> str:
    return f"user-{number:08d}"


async def run(running: Stack, profiles: int) -> Sent:
    await fill(running, profiles)
    with TemporaryDirectory() as folder:
        more = {"LIVESEGMENTS_UNOWNED_MS": "3600000"}
        api = harness.service("api", running, Path(folder), "log", more)
        await api.start()
        try:
            await api.ready(print)
            assert api.child is not None
            stores = [each.child.pid for each in running.servers if each.child is not None]
            before = cpu_s(api.child.pid), _cpu_s(stores)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.audience", str(api.port), str(profiles)),
                stdout=asyncio.subprocess.PIPE,
            )
            said, _ = await process.communicate()
            if process.returncode:
                raise RuntimeError(f"the sender ended with status {process.returncode}")
            sent = msgspec.json.decode(said, type=Sent)
            used = cpu_s(api.child.pid) - before[0], _cpu_s(stores) - before[1]
            return msgspec.structs.replace(sent, api_cpu_s=used[0], store_cpu_s=used[1])
        finally:
            await api.stop()


def _cpu_s(pids: Sequence[int]) -> float:
    return sum(cpu_s(pid) for pid in pids)


async def fill(running: Stack, profiles: int) -> None:
    workspace = catalog.Workspace(workload.WORKSPACE, "Bench", "Europe/Berlin", 0)
    entries: list[catalog.Entry] = [workspace]
    entries += [catalog.Segment(workload.WORKSPACE, id_, id_, 1, 1, 0, 0, None) for id_ in ("all", "staff")]
    entries.append(catalog.Key(digest(KEY), workload.WORKSPACE, "bench", ("read",), 0))
    async with harness.producer(running) as out:
        for entry in entries:
            await out.send(DEFINITIONS, catalog.encode(entry), key=catalog.key_of(entry).encode())
        await out.flush()
    async with Redis.from_url(running.redis) as redis:
        for start in range(0, profiles, BATCH):
            async with redis.pipeline(transaction=False) as pipe:
                for number in range(start, min(start + BATCH, profiles)):
                    _write(pipe, number)
                await pipe.execute()


def _write(pipe: Any, number: int) -> None:
    id_ = named(number)
    partition = partition_of(workload.WORKSPACE, id_, harness.PARTITIONS)
    texts = {"email": email(id_), "city": f"city {number % 500}", "plan": "pro"}
    texts |= {f"trait_{at}": f"value {number % 97} of {at}" for at in range(9)}
    state = Profile(
        1,
        {name: Register(text, 1_700_000_000_000, f"event-{number}") for name, text in texts.items()},
        consent={
            consent_key("email", None): Register(
                "opted_out" if number % OPTED_OUT_EVERY == 1 else "opted_in", 1_700_000_000_000, "c"
            )
        },
        memberships={f"segment-{at}": Membership(1, 1_700_000_000_000) for at in range(8)},
        seen=FACTS,
    )
    pipe.hset(keys.profiles(partition, workload.WORKSPACE), id_, encode(state))
    pipe.hset(keys.ids(partition, workload.WORKSPACE), str(number + 1), id_)
    pipe.setbit(keys.bits(partition, workload.WORKSPACE, "all"), number + 1, 1)
    if number % EXCLUDED_EVERY == 0:
        pipe.setbit(keys.bits(partition, workload.WORKSPACE, "staff"), number + 1, 1)


class Sender:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else msgspec.json.encode(body), headers)
        answer = self._connection.getresponse()
        found = msgspec.json.decode(answer.read())
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {found}")
        return found


def send(port: int, profiles: int) -> Sent:
    sender = Sender(port)
    audience = {"include": ["all"], "exclude": ["staff"], "consent": {"channel": "email"}}
    begun, busy = time.perf_counter(), time.process_time()
    token = sender.ask("POST", "/v1/audiences/frozen", {"audience": audience})
    path = f"/v1/audiences/frozen/{token['token']}"
    while token["state"] == "freezing":
        time.sleep(0.1)
        token = sender.ask("GET", path)
    if token["state"] != "ready":
        raise SystemExit(token["reason"])
    ready = time.perf_counter()
    seen, read, pages, wrong, cursor = set[str](), 0, 0, 0, ""
    while True:
        page = sender.ask("GET", f"{path}/members?limit={LIMIT}&fields=email{cursor}")
        for each in page["fields"]:
            wrong += each["fields"].get("email") != email(each["profile"])
            seen.add(each["profile"])
        read, pages = read + len(page["fields"]), pages + 1
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    ended, used = time.perf_counter(), time.process_time() - busy
    wanted = {named(number) for number in range(profiles) if in_audience(number)}
    wrong += len(seen ^ wanted)
    twice = read - len(seen)
    return Sent(
        profiles, len(wanted), read, twice, wrong, ready - begun, ended - ready, pages, token["bytes"],
        used,
    )  # fmt: skip


def table(sent: Sent) -> list[str]:
    """What was measured, with what was wanted."""
    return [
        f"Audience of {sent.read:,} of {sent.profiles:,} profiles, {sent.pages} pages of {LIMIT:,} with an address, one "
        "connection:",
        "",
        "| frozen in | all pages in | processor time: api, store, sender | profiles/s | twice | wrong or missing "
        "| the token takes |",
        "|---|---|---|---|---|---|---|",
        f"| {sent.freeze_s:.1f} s | {sent.pages_s:.1f} s "
        f"| {sent.api_cpu_s:.1f}, {sent.store_cpu_s:.1f}, {sent.sender_cpu_s:.1f} s "
        f"| {sent.read / sent.pages_s:,.0f} | {sent.twice} | {sent.wrong} "
        f"| {sent.frozen_bytes / max(sent.read, 1):.1f} bytes a profile |",
        "",
        "Wanted: 1,000,000 profiles in ≤ 20 s on 2 cores, each exactly once.",
    ]


if __name__ == "__main__":
    print(msgspec.json.encode(send(int(sys.argv[1]), int(sys.argv[2]))).decode())
