"""Names into addresses, once for a connection: it is made to the address that was looked at."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection

from aiohttp.abc import AbstractResolver, ResolveResult

from livesegments.runtime.addresses import is_public


class Refused(OSError):
    """A host leads to an address that webhooks may not go to."""


class PublicResolver(AbstractResolver):
    """Gives aiohttp public addresses alone; those of `permitted` hosts whatever they are."""

    def __init__(self, permitted: Collection[str]) -> None:
        self._permitted = permitted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises Refused if any address of the host is not public: a host has no business with both."""
        loop = asyncio.get_running_loop()
        rows = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        found = [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, address in rows
        ]  # fmt: skip
        wrong = [each["host"] for each in found if not is_public(each["host"])]
        if wrong and host.lower() not in self._permitted:
            raise Refused(f"{host} leads to {wrong[0]}, which is no public address")
        return found

    async def close(self) -> None:
        pass
