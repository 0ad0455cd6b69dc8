"""The whole product on this machine: broker, Redis, topics, services, a first workspace. All of it ends
with the command.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from aiokafka.errors import KafkaError
from msgspec import Struct

from livesegments.cli import context
from livesegments.cli.first import Keys, first_workspace, kept_keys
from livesegments.cli.problem import Problem
from livesegments.runtime.embedded.child import StartError
from livesegments.runtime.embedded.jars import NoJars, Progress
from livesegments.runtime.embedded.redis import Valkey
from livesegments.runtime.embedded.stack import Stack, stack
from livesegments.runtime.service import Say, Service, Sharing, started, watched
from livesegments.runtime.settings import CLIENT_ONLY, PREFIX, ClockMode, Settings, from_environment
from livesegments.runtime.topics import WrongTopic, create_topics
from livesegments.store.client import connect


class Wanted(Struct, frozen=True):
    """`environment`: LIVESEGMENTS_* in it goes to the services; …_KAFKA and …_REDIS name existing ones."""

    data: Path
    environment: Mapping[str, str]
    clock: ClockMode = "wall"
    workers: int = 1
    api_workers: int = 1
    console: bool = True


@asynccontextmanager
async def serving(wanted: Wanted, say: Say, progress: Progress | None = None) -> AsyncIterator[context.Up]:
    """All services are ready inside; one that dies is started again, with a line. Call it in the main thread.

    Raises Problem when it can't be: no jars, a child that does not come up, a folder in use.
    """
    settings = _settings(wanted)
    with _as_problems(), _alone(wanted.data):
        keys = kept_keys(wanted.data, settings.admin_key)
        async with AsyncExitStack() as running:
            say("starting broker and Redis")
            given = wanted.environment
            below = await running.enter_async_context(
                stack(wanted.data, given.get(f"{PREFIX}KAFKA", ""), given.get(f"{PREFIX}REDIS", ""), progress)
            )
            await _redis_answers(below.redis)
            await _topics(below.kafka, settings)
            say("starting ingest, evaluator, api, notify" + (" and console" if wanted.console else ""))
            services = _services(wanted, below, keys)
            await running.enter_async_context(started(services))
            more = [*_more_apis(wanted, services[1]), *_consoles(wanted, services[1])]
            await running.enter_async_context(started(more))
            services += more
            await running.enter_async_context(watched([*below.servers, *services], say))
            await asyncio.gather(*(service.ready(say) for service in services))
            ingest, api = services[0].url, services[1].url
            up = context.Up(
                ingest=ingest,
                api=api,
                console=services[-1].url if wanted.console else "",
                kafka=below.kafka,
                redis=below.redis,
                **await asyncio.to_thread(first_workspace, api, keys, wanted.data),
            )
            context.write_up(wanted.data, up)
            running.callback((wanted.data / context.UP_FILE).unlink, missing_ok=True)
            yield up


def _settings(wanted: Wanted) -> Settings:
    """Raises Problem for a wrong setting, or for more workers than partitions."""
    try:
        settings = from_environment(wanted.environment)
    except ValueError as error:
        raise Problem(str(error), advice="correct or unset that variable, then repeat") from error
    if not 1 <= wanted.workers <= settings.partitions:
        raise Problem(
            f"{wanted.workers} workers for {settings.partitions} partitions",
            advice="give --workers between 1 and the number of partitions",
        )
    return settings


def _services(wanted: Wanted, below: Stack, keys: Keys) -> list[Service]:
    """Ingest, api, evaluators, notify."""
    client_only = {PREFIX + name.upper() for name in CLIENT_ONLY}
    environment = {key: value for key, value in wanted.environment.items() if key not in client_only} | {
        f"{PREFIX}KAFKA": below.kafka,
        f"{PREFIX}REDIS": below.redis,
        f"{PREFIX}CLOCK": wanted.clock,
        f"{PREFIX}DATA": str(wanted.data),
        f"{PREFIX}ADMIN_KEY": keys.admin_key,
        f"{PREFIX}ERASURE_REWRITES_AOF": wanted.environment.get(f"{PREFIX}ERASURE_REWRITES_AOF")
        or str(any(server.name == Valkey.name for server in below.servers)).lower(),
        f"{PREFIX}ERASURE_KEY": wanted.environment.get(f"{PREFIX}ERASURE_KEY") or keys.erasure_key,
        f"{PREFIX}SECRETS_KEY": wanted.environment.get(f"{PREFIX}SECRETS_KEY") or keys.secrets_key,
    }
    modules = {"ingest": "ingest", "api": "api"} | {
        f"evaluator-{number}": "evaluator" for number in range(1, wanted.workers + 1)
    }
    modules["notify"] = "notify"
    sharing = {"api": {f"{PREFIX}SHARE_PORT": "true"}} if wanted.api_workers > 1 else {}
    return [
        Service(
            name, f"livesegments.{package}.app", wanted.data / name, environment | sharing.get(package, {})
        )
        for name, package in modules.items()
    ]


def _more_apis(wanted: Wanted, first: Service) -> list[Service]:
    """They share the port of the first."""
    names = [f"api-{number}" for number in range(2, wanted.api_workers + 1)]
    return [Sharing(name, first.module, wanted.data / name, first) for name in names]


def _consoles(wanted: Wanted, api: Service) -> list[Service]:
    """None or one, for the address of the api."""
    environment = {**api.environment, f"{PREFIX}CONSOLE_API_URL": api.url}
    name = "console"
    return (
        [Service(name, f"livesegments.{name}.app", wanted.data / name, environment)] if wanted.console else []
    )


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(
                f"{data} is in use by another `livesegments up`", advice="end that, or give another --data"
            ) from error
        yield


async def _redis_answers(url: str) -> None:
    """Else the services would wait for it for ever. The URL may hold a password, so no message shows it."""
    try:
        async with connect(url) as redis:
            await redis.ping()
    except (OSError, ValueError) as error:
        raise Problem(
            f"Redis does not answer: {error}", advice=f"is {PREFIX}REDIS right, and is it running?"
        ) from error


async def _topics(kafka: str, settings: Settings) -> None:
    try:
        await create_topics(kafka, settings)
    except (WrongTopic, ValueError) as error:
        raise Problem(str(error)) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise Problem(
            f"the broker does not answer: {error!r}", advice=f"is {PREFIX}KAFKA right, and is it running?"
        ) from error


@contextmanager
def _as_problems() -> Iterator[None]:
    try:
        yield
    except NoJars as error:
        raise Problem(str(error)) from error
    except StartError as error:
        raise Problem(str(error), advice="see its log; what is in the way is told there") from error
    except OSError as error:
        if error.filename is None:
            raise
        raise Problem(
            f"{error.filename} can't be used: {error.strerror}", advice="give another folder with --data"
        ) from error
