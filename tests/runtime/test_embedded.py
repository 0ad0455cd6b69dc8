"""The embedded servers are our own children, go when we go, and keep their data."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis.asyncio import Redis

from livesegments.runtime.embedded import archive, jars, ports
from livesegments.runtime.embedded.child import Child, StartError
from livesegments.runtime.embedded.kafka import CHECKPOINT, META, Kafka
from livesegments.runtime.embedded.redis import Valkey
from livesegments.runtime.embedded.stack import stack

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    async with Valkey(tmp_path / "valkey") as server:
        yield server


def test_a_listener_is_told_from_one_of_another_process() -> None:
    with socket.create_server((ports.HOST, 0)) as server:
        port = server.getsockname()[1]
        assert ports.listens(os.getpid(), port)
        assert not ports.listens(os.getppid(), port)
        assert not ports.is_free(port) and ports.free_port(port) != port
    assert not ports.listens(os.getpid(), port)
    assert ports.free_port(port) == port


async def test_a_child_that_ends_at_once_says_why(tmp_path: Path) -> None:
    child = Child("talker", [sys.executable, "-c", "raise SystemExit('no luck')"], tmp_path / "log")
    child.start()
    with pytest.raises(StartError, match=r"talker ended with status 1; the end of .*log:\nno luck"):
        async with child.starting(20):
            await child.listening(ports.free_port())


async def test_a_child_that_is_late_is_said_to_be(tmp_path: Path) -> None:
    child = Child("sleeper", SLEEPER, tmp_path / "log")
    child.start()
    with pytest.raises(StartError, match=r"sleeper is not ready after 0\.1 s"):
        async with child.starting(0.1):
            await child.listening(ports.free_port())
    await child.kill()
    assert child.ended == -signal.SIGKILL


async def test_a_child_deaf_to_sigterm_is_killed(tmp_path: Path) -> None:
    port = ports.free_port()
    deaf = f"""
import signal, socket
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with socket.create_server(({ports.HOST!r}, {port})) as server:
    while True:
        server.accept()
"""
    child = Child("deaf", [sys.executable, "-c", deaf], tmp_path / "log")
    child.start()
    async with child.starting(20):
        await child.listening(port)
    await child.stop(patience_s=0.1)
    assert child.ended == -signal.SIGKILL


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_servers_die_with_their_owner_however_that_ends(how: signal.Signals, tmp_path: Path) -> None:
    owner = f"""
import asyncio
from pathlib import Path
from livesegments.runtime.embedded.redis import Valkey

async def main():
    async with Valkey(Path({str(tmp_path)!r})) as server:
        print(server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        owner,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    watch = os.pidfd_open(pid)
    gone, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(watch, gone.set)
    process.send_signal(how)
    async with asyncio.timeout(60):
        await gone.wait()
        await process.wait()
    loop.remove_reader(watch)
    os.close(watch)


async def test_redis_killed_and_restarted_keeps_data_port_and_loopback(valkey: Valkey) -> None:
    port, pid = valkey.port, valkey.pid
    async with Redis.from_url(valkey.url) as client:
        await client.set("kept", "yes")
        assert (await client.config_get("bind"))["bind"] == ports.HOST
    await valkey.kill()
    assert not ports.listens(pid, port)
    await valkey.restart()
    assert valkey.port == port and valkey.pid != pid
    async with Redis.from_url(valkey.url) as client:
        assert await client.get("kept") == b"yes"


async def test_a_stranger_on_the_wanted_port_is_not_taken_for_ours(tmp_path: Path) -> None:
    with socket.create_server((ports.HOST, ports.free_port())) as stranger:
        port = stranger.getsockname()[1]
        (tmp_path / "port").write_text(str(port))
        async with Valkey(tmp_path) as server:
            assert server.port != port and ports.listens(server.pid, server.port)


async def test_a_note_of_the_port_that_was_half_written_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "port").touch()
    async with Valkey(tmp_path) as server:
        assert int((tmp_path / "port").read_text()) == server.port


async def test_a_restart_whose_port_a_stranger_took_fails_and_says_so(valkey: Valkey) -> None:
    await valkey.kill()
    with (
        socket.create_server((ports.HOST, valkey.port)),
        pytest.raises(StartError, match=r"(?s)valkey ended with status 1.*[Aa]ddress already in use"),
    ):
        await valkey.restart()


async def test_kafka_killed_and_restarted_keeps_data_and_port_and_starts_from_the_archive(
    tmp_path: Path,
) -> None:
    async with Kafka(tmp_path) as broker:
        port = broker.port
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
        await admin.start()
        await admin.create_topics([NewTopic("kept", 1, 1)])
        await admin.close()
        await publish(broker, b"before")
        await broker.kill()
        await broker.restart()
        assert broker.port == port
        await publish(broker, b"after")
        assert await read(broker, 2) == [b"before", b"after"]
        while not made(broker.archive):  # others' tests may be at it just now
            maker = archive.begin(tmp_path / "training.log")
            assert await maker.wait() == 0, maker.tail()
    async with Kafka(tmp_path) as broker:  # its controller has another port now
        assert broker.port == port and await read(broker, 2) == [b"before", b"after"]
        assert str(broker.archive) in mapped(broker.pid)


async def test_what_kafkas_tool_writes_for_one_broker_is_written_for_the_next_with_ids_of_its_own(
    tmp_path: Path,
) -> None:
    brokers = [Kafka(tmp_path / name) for name in ("first", "second")]
    for broker in brokers:
        broker.folder.mkdir()
        await broker.prepare()
    first, second = (dict(described(broker.folder / "data" / META)) for broker in brokers)
    assert first.keys() == second.keys() and first["node.id"] == second["node.id"]
    assert first["cluster.id"] != second["cluster.id"] and first["directory.id"] != second["directory.id"]
    features = [(broker.folder / "data" / CHECKPOINT).read_bytes() for broker in brokers]
    assert features[0] == features[1]
    assert not (brokers[1].folder / "kafka.log").exists()  # no tool ran


def described(meta: Path) -> list[tuple[str, str]]:
    """Its lines, without remarks."""
    lines = [line for line in meta.read_text().splitlines() if not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def made(kept: Path) -> bool:
    return kept.exists()


def mapped(pid: int) -> str:
    """The files in the process's memory."""
    return Path(f"/proc/{pid}/maps").read_text()


async def publish(broker: Kafka, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.address, acks="all") as producer:
        await producer.send_and_wait("kept", value, partition=0)


async def read(broker: Kafka, count: int) -> list[bytes]:
    async with AIOKafkaConsumer(bootstrap_servers=broker.address) as consumer:
        consumer.assign([partition := TopicPartition("kept", 0)])
        await consumer.seek_to_beginning(partition)
        return [(await consumer.getone()).value for _ in range(count)]


async def test_those_that_are_given_are_used(tmp_path: Path) -> None:
    async with stack(tmp_path, kafka="broker:9092", redis="redis://store:6379/0") as given:
        assert (given.kafka, given.redis, given.servers) == ("broker:9092", "redis://store:6379/0", ())
    assert is_empty(tmp_path)


def test_without_jars_it_says_so_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{ports.HOST}:{ports.free_port()}")  # nothing answers there
    with pytest.raises(jars.NoJars, match=r"(?s)jars can't be had.*LIVESEGMENTS_KAFKA=HOST:PORT"):
        jars.classpath(folder=tmp_path)


async def test_interrupted_while_fetching_it_fetches_no_further_jar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fetched, begun, go_on = list[Path](), threading.Event(), threading.Event()
    monkeypatch.setattr(jars, "_fetch_one", lambda _maven, _jar, path: fetched.append(path))

    def told(_have: int, _total: int) -> None:
        begun.set()
        go_on.wait()

    starting = asyncio.create_task(Kafka(tmp_path / "kafka", told).start())
    assert await asyncio.to_thread(begun.wait, 60)
    starting.cancel()
    await asyncio.wait([starting])
    go_on.set()
    with jars._alone(jars.cache()):  # when the thread has ended
        assert starting.cancelled() and fetched == []


def test_a_jar_that_is_not_the_one_locked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jars.classpath()  # in the user's cache
    lock = tmp_path / "kafka.lock.toml"
    one = jars.LOCK.read_text().split("[[dependencies]]")[2]
    lock.write_text("[[dependencies]]" + one.replace('sha256 = "', 'sha256 = "0'))
    monkeypatch.setattr(jars, "LOCK", lock)
    with pytest.raises(jars.NoJars, match=r"slf4j-simple-.*\.jar has SHA-256 .*, not 0.* as locked"):
        jars.classpath(folder=tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.jar"))


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())
