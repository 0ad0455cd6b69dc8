"""One attempt: a message goes out over HTTP, and its fate comes back. It never raises."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache, partial

import aiohttp
from msgspec import Struct

from livesegments.notify.body import body
from livesegments.notify.queue import Message
from livesegments.notify.signing import signed
from livesegments.runtime.addresses import fault_of
from livesegments.runtime.resolving import PublicResolver
from livesegments.runtime.sealing import Seal, Unopened
from livesegments.wire.subscription import Subscription

TIMEOUT_S = 15.0
CONNECTIONS = 64
"""To one receiver at a time."""
READ = 65_536
MAX_SAID = 200
REMEMBERED = 4_096
"""URLs that were looked at."""
GONE = 410


class Outcome(Struct, frozen=True):
    """`status` None: there was no answer, and `error` says why. `asked_s`: the receiver's `Retry-After`."""

    status: int | None
    error: str = ""
    asked_s: float = 0.0

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Poster:
    """Use it as an async context manager. Redirects are not followed, nor is any proxy asked."""

    def __init__(self, permitted: Collection[str], now_ms: Callable[[], int], seal: Seal) -> None:
        self._now_ms, self._seal = now_ms, seal
        self._permitted = permitted
        self._fault_of = lru_cache(REMEMBERED)(partial(fault_of, permitted=permitted))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Poster:
        connector = aiohttp.TCPConnector(
            resolver=PublicResolver(self._permitted), limit=0, limit_per_host=CONNECTIONS, ttl_dns_cache=30
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            auto_decompress=False,
            trust_env=False,
            headers={"User-Agent": "livesegments-webhooks/1", "Content-Type": "application/json"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, rule: Subscription, message: Message) -> Outcome:
        webhook = rule.webhook
        assert webhook is not None and self._session is not None
        if (wrong := self._fault_of(webhook.url)) is not None:
            return Outcome(None, f"the url {wrong}")
        now_ms = self._now_ms()
        valid = [each for each in webhook.secrets if each.until_ms is None or each.until_ms > now_ms]
        try:
            secrets = [self._seal.opened(each.secret) for each in valid]
        except Unopened as error:
            return Outcome(None, str(error))
        data = body(rule, message)
        try:
            async with self._session.post(
                webhook.url,
                data=data,
                headers=signed(message.id, now_ms, data, secrets),
                allow_redirects=False,
            ) as answer:
                await answer.content.read(READ)
                return Outcome(answer.status, "", _asked_s(answer.headers.get("Retry-After", "")))
        except TimeoutError:
            return Outcome(None, f"no answer within {TIMEOUT_S:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome(None, (str(error) or type(error).__name__)[:MAX_SAID])


def _asked_s(header: str) -> float:
    return float(header) if header.isascii() and header.isdigit() and len(header) < 10 else 0.0
