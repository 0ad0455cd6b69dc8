"""Which addresses a request that a customer has us send may go to.

`https://hooks.example.com/in` may, `http://10.0.0.7/` may not: a customer's URL must not reach what stands
beside us. An address counts for what it leads to: `::ffff:127.0.0.1` is `127.0.0.1`. Hosts that the setting
`notify_hosts` names may be reached whatever their address is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

MAX_URL = 2_000
_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


def hosts(setting: str) -> frozenset[str]:
    """The names in a setting such as `localhost,10.0.0.7`."""
    return frozenset(each.strip().lower() for each in setting.split(",") if each.strip())


def is_public(address: str) -> bool:
    """Whether the address, and each that it carries within, is one of the public internet's."""
    try:
        outer = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in _meant(outer))


def fault_of(url: str, permitted: Collection[str]) -> str | None:
    """What is wrong with a URL for webhooks; None: nothing that is seen without resolving its host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if len(url) > MAX_URL:
        return f"has {len(url)} characters; at most {MAX_URL} are allowed"
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "has a character that no URL has: encode it"
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return "must be https://HOST/… or http://HOST/…"
    if parts.username is not None or parts.password is not None:
        return "must not hold a password: receivers check the signature"
    if host in permitted:
        return None
    if _is_numeric(host) and not is_public(host):
        return f"leads to {host}, which is no public address"
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return f"leads to {host}, which is no public host"
    return None


def _is_numeric(host: str) -> bool:
    """An address, or one of the forms that only look like a name: `127.1`, `0x7f000001`."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or last.isdigit() or last.startswith("0x")


def _meant(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    yield address
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            yield address.ipv4_mapped
        if address.sixtofour is not None:
            yield address.sixtofour
        if address.teredo is not None:
            yield from address.teredo
        if any(address in network for network in _NAT64):
            yield IPv4Address(int(address) & 0xFFFFFFFF)
