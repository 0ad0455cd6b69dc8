"""The embedded stack for tests: started once a session, when first asked for, gone with it.

- `stack`: `.kafka` (HOST:PORT) and `.redis` (URL). LIVESEGMENTS_KAFKA / LIVESEGMENTS_REDIS name others.
- `kafka_address`, `redis_url`: one of the two alone.
- `clean_redis`: the URL, emptied for this test.
- `topic`: makes a topic of a name of its own: `name = await topic(partitions=4)`.
- `clean_stack`: the stack with our own topics made anew (their default settings) and Redis emptied.
- `core`: evaluators have the native kernel in every other file, and the interpreted core in the others.
- `product`: `livesegments up`, a process of its own with a stack of its own (tests/product.py).
"""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import signal
import uuid
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx._transports.default
import pytest
import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from hypothesis import settings
from redis.asyncio import Redis

from livesegments.runtime.embedded.kafka import Kafka
from livesegments.runtime.embedded.redis import Valkey
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.settings import Settings
from livesegments.runtime.topics import create_topics, wanted
from tests.product import PRODUCT, end_product, product

__all__ = ["product"]

# in colours and with all variables a traceback takes a second of the processor, and faults on purpose leave many
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# no test asserts a time: Hypothesis's own deadline is one
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# brokers of tests live for seconds: what Java's second compiler would win for them later costs more now
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# each client of httpx reads all authorities of the system, which takes 20 ms: once will do
shared_context = functools.lru_cache(httpx.create_ssl_context)
httpx._transports.default.create_ssl_context = shared_context  # type: ignore[attr-defined]

# a shell's background jobs inherit an ignored SIGINT; what tests start and interrupt must hear it
signal.signal(signal.SIGINT, signal.default_int_handler)


# what is imported and collected stays to the end: looking through it for garbage takes a tenth of the collection
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


LONGEST = [
    "e2e/test_commands",
    "e2e/test_jobs",
    "console/test_every_page",
    "builder/test_building",
    "console/test_segments",
    "console/test_people",
    "console/test_many",
    "console/test_signing_in",
    "console/test_coming_back",
    "e2e/test_external_lists",
    "evaluator/test_segments",
    "evaluator/test_topics",
    "evaluator/test_evaluator",
    "api/test_openapi",
    "evaluator/test_erasing",
    "properties/test_race",
    "chaos/test_chaos",
    "e2e/test_up",
    "e2e/test_losing",
    "notify/test_notify",
    "api/test_durability",
    "ingest/test_faults",
    "evaluator/test_recovery",
    "notify/test_outages",
    "e2e/test_demo",
    "e2e/test_merging",
    "properties/test_sql_race",
    "properties/test_kernel",
    "demo/test_proof",
    "evaluator/test_audits",
    "clients/test_python",
    "evaluator/test_losses",
    "evaluator/test_retractions",
    "history/test_kept",
    "ingest/test_verdicts",
    "runtime/test_embedded",
    "evaluator/test_reading",
    "properties/test_plan_edits",
    "bench/test_bench",
    "ingest/test_saturated",
    "api/test_watch",
]
"""Files that take longest, the longest first: those that run several files at a time end together."""


ASK_PRODUCT = pytest.StashKey[set[Path]]()
"""Files with a test that asks for `product`."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Those that ask for `product` come first, so that it needn't run beside all others: idle it takes an eighth of a core."""
    places = {name: place for place, name in enumerate(LONGEST)}
    asking = {item.path for item in items if PRODUCT in getattr(item, "fixturenames", ())}
    config.stash[ASK_PRODUCT] = asking

    def place(item: pytest.Item) -> tuple[bool, int]:
        name = f"{item.path.parent.name}/{item.path.stem}"
        return item.path not in asking, places.get(name, len(places))

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    if nextitem is not None and nextitem.path not in item.config.stash[ASK_PRODUCT]:
        end_product()


@pytest.fixture(scope="module", autouse=True)
def core(request: pytest.FixtureRequest) -> Iterator[str]:
    """The one that LIVESEGMENTS_CORE names, or that goes with the file's name."""
    path = request.path.relative_to(request.config.rootpath).as_posix()
    with pytest.MonkeyPatch.context() as patch:
        if "LIVESEGMENTS_CORE" not in os.environ:
            patch.setenv("LIVESEGMENTS_CORE", ("native", "interpreted")[zlib.crc32(path.encode()) % 2])
        yield os.environ["LIVESEGMENTS_CORE"]


@pytest.fixture(scope="session")
async def kafka_address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with AsyncExitStack() as running:
        given = os.environ.get("LIVESEGMENTS_KAFKA")
        yield (
            given
            or (await running.enter_async_context(Kafka(tmp_path_factory.mktemp("kafka") / "kafka"))).address
        )


@pytest.fixture(scope="session")
async def redis_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with AsyncExitStack() as running:
        given = os.environ.get("LIVESEGMENTS_REDIS")
        yield (
            given
            or (await running.enter_async_context(Valkey(tmp_path_factory.mktemp("valkey") / "valkey"))).url
        )


@pytest.fixture(scope="session")
def stack(kafka_address: str, redis_url: str) -> Stack:
    return Stack(kafka_address, redis_url, ())


@pytest.fixture
async def clean_redis(redis_url: str) -> str:
    async with Redis.from_url(redis_url) as client:
        await client.flushall()
    return redis_url


@pytest.fixture
async def admin(kafka_address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
    await client.start()
    yield client
    await client.close()


async def known(admin: AIOKafkaAdminClient, topic: str) -> None:
    """A topic is made before the broker knows it."""
    while (await admin.describe_topics([topic]))[0]["error_code"]:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


@pytest.fixture
async def topic(admin: AIOKafkaAdminClient) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    made: list[str] = []

    async def make(partitions: int = 1, **config: str) -> str:
        made.append(f"test-{uuid.uuid4().hex[:12]}")
        await admin.create_topics([NewTopic(made[-1], partitions, 1, topic_configs=config)])
        await known(admin, made[-1])
        return made[-1]

    yield make
    if made:
        await admin.delete_topics(made)


@pytest.fixture
async def clean_stack(stack: Stack, clean_redis: str, admin: AIOKafkaAdminClient) -> Stack:
    settings = Settings(kafka=stack.kafka, redis=clean_redis)
    ours = {topic.name for topic in wanted(settings)} & set(await admin.list_topics())
    if ours:
        await admin.delete_topics(list(ours))
    await create_topics(stack.kafka, settings)
    return stack
