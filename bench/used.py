"""The processor time and the memory of processes, by what they are for."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from livesegments.runtime.embedded.stack import Stack

_TICKS = os.sysconf("SC_CLK_TCK")


class Used(NamedTuple):
    """CPU seconds, and the peak of memory in MB, of all processes of a role together."""

    cpu_s: float
    peak_mb: float


class Watch:
    """From its making on: of evaluators and what they started, and of the stack's servers."""

    def __init__(self, running: Stack, evaluators: Sequence[int]) -> None:
        servers = [
            (type(server).__name__, server.child.pid)
            for server in running.servers
            if server.child is not None
        ]
        self._roles: dict[str, list[int]] = {
            "evaluators": list(evaluators),
            "processes of the archive": [child for pid in evaluators for child in children(pid)],
            **{name: [pid] for name, pid in servers},
        }
        for pids in self._roles.values():
            for pid in pids:
                Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
        self._before = self.cpu_s()

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of every role until now."""
        return {role: sum(map(cpu_s, pids)) for role, pids in self._roles.items()}

    def used(self) -> Mapping[str, Used]:
        return {
            role: Used(sum(map(cpu_s, pids)) - self._before[role], sum(map(_peak_mb, pids)))
            for role, pids in self._roles.items()
        }


def children(pid: int) -> list[int]:
    """All below a process."""
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (thread / "children").read_text().split()):
            found += [child, *children(child)]
    return found


def cpu_s(pid: int) -> float:
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / _TICKS


def _peak_mb(pid: int) -> float:
    return int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]) / 1024
