"""Names into addresses, once for a connection: it is made to the address that was looked at."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from contextlib import suppress

from aiohttp.abc import AbstractResolver, ResolveResult

from livesegments.runtime.addresses import is_public


class Refused(OSError):
    """A host leads to an address that nobody's request may go to."""


class PublicResolver(AbstractResolver):
    """Gives aiohttp public addresses alone; those of `permitted` hosts whatever they are."""

    def __init__(self, permitted: Collection[str]) -> None:
        self._permitted = permitted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises Refused if any address of the host is not public."""
        loop = asyncio.get_running_loop()
        rows = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        found = [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, address in rows
        ]  # fmt: skip
        _check(host, [each["host"] for each in found], self._permitted)
        return found

    async def close(self) -> None:
        pass


def connected(host: str, port: int, permitted: Collection[str], timeout_s: float) -> socket.socket:
    """A connection to an address of the host that was looked at, for code that takes a socket; it blocks.

    Raises OSError, of which Refused is one."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    _check(host, [str(address[0]) for _, _, _, _, address in rows], permitted)
    error: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in rows:
        made = socket.socket(family, kind, protocol)
        made.settimeout(timeout_s)
        try:
            made.connect(address)
        except OSError as failed:
            error = failed
            with suppress(OSError):
                made.close()
        else:
            return made
    raise error


def _check(host: str, addresses: Collection[str], permitted: Collection[str]) -> None:
    """Raises Refused if any of them is not public: a host has no business with both."""
    wrong = [each for each in addresses if not is_public(each)]
    if wrong and host.lower() not in permitted:
        raise Refused(f"{host} leads to {wrong[0]}, which is no public address")
