"""Free ports on loopback, and which process listens on a port (Linux: read from /proc)."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
LISTEN = "0A"
# Below the range that the kernel gives to outgoing connections: a server that is restarted on its port would
# else find it taken by someone's connection, or a client that waits for it would connect to itself.
LOWEST, HIGHEST = 20_000, 32_000
TRIES = 200
ANSWER_S = 1.0


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(wanted: int = 0) -> int:
    """`wanted` when that is free, else any. Raises OSError when none is found.

    Nothing holds it until its server listens, so look with `listens` whose it has become.
    """
    if wanted and is_free(wanted):
        return wanted
    for port in random.SystemRandom().sample(range(LOWEST, HIGHEST), TRIES):
        if is_free(port):
            return port
    raise OSError(f"no free port on {HOST} between {LOWEST} and {HIGHEST}")


def listens(pid: int, port: int) -> bool:
    """Whether process `pid` itself holds a socket that listens on `port`, alone or with others that share
    it."""
    if not _answers(port):  # far cheaper than to read the tables, for those who wait
        return False
    inodes = _listeners(port)
    return not inodes.isdisjoint(_sockets(pid))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(ANSWER_S)
        return probe.connect_ex((HOST, port)) == 0


def _sockets(pid: int) -> set[str]:
    """Inodes of the sockets that the process holds."""
    found = set()
    with suppress(OSError):  # it has ended
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # closed as we looked
                kind, _, inode = str(link.readlink()).partition(":")
                if kind == "socket":
                    found.add(inode.strip("[]"))
    return found


def _listeners(port: int) -> set[str]:
    """Inodes of the TCP sockets that listen on `port`, on whatever address of this machine."""
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == LISTEN and int(local.rpartition(":")[2], 16) == port:
                found.add(rest[5])
    return found
