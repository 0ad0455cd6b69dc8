"""The replay as one watches it: the date in the log, the pace, every segment's size and how it grew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from rich.console import Group
from rich.table import Table
from rich.text import Text

BARS = " ▁▂▃▄▅▆▇█"
WIDTH = 32
"""Samples of a whole log; on a narrow terminal fewer are shown."""
BESIDE = 62
"""Columns that a row takes beside its sparkline."""


class Row(Struct):
    """A segment: `sizes` holds one sample for each stretch of the log passed so far."""

    name: str
    size: int = 0
    entered: int = 0
    exited: int = 0
    sizes: list[int] = field(default_factory=list)


class State(Struct):
    """All that is shown; the replay writes it, the view only reads. Instants are ms UTC."""

    title: str
    zone: str
    start_ms: int
    end_ms: int
    total: int
    rows: dict[str, Row]
    clock_ms: int | None = None
    accepted: int = 0
    applied: int = 0
    refused: int = 0
    rate: float = 0.0
    lag: str = ""
    stage: str = "replaying"

    def sample(self) -> None:
        """Adds a sample to every row for each stretch of the log that the clock has passed."""
        if self.clock_ms is None:
            return
        passed = (self.clock_ms - self.start_ms) / max(1, self.end_ms - self.start_ms)
        wanted = min(WIDTH, int(passed * WIDTH) + 1)
        for row in self.rows.values():
            row.sizes += [row.size] * (wanted - len(row.sizes))
            if row.sizes:
                row.sizes[-1] = row.size


def sparkline(sizes: Iterable[int], width: int = WIDTH) -> str:
    """One character a sample, the highest bar at the largest; `width` of them for a whole log."""
    listed = list(sizes)
    shown = -(-len(listed) * width // WIDTH)
    listed = [listed[min(len(listed), (at + 1) * WIDTH // width) - 1] for at in range(shown)]
    top = max(listed, default=0) or 1
    return "".join(BARS[-(-size * (len(BARS) - 1) // top)] for size in listed)


def date(state: State) -> str:
    if state.clock_ms is None:
        return "–"
    return datetime.fromtimestamp(state.clock_ms / 1000, ZoneInfo(state.zone)).strftime("%d %b %Y")


def figures(state: State) -> str:
    refused = f" · {state.refused:,} refused" if state.refused else ""
    return f"{state.applied:,} of {state.total:,} events · {state.rate:,.0f} events/s{refused}"


def lag(state: State) -> str:
    return state.lag or "no lag"


def render(state: State, columns: int) -> Group:
    """The live picture for a terminal so wide."""
    width = max(8, min(WIDTH, columns - BESIDE))
    head = Text.assemble((f"{date(state)}  ", "bold cyan"), figures(state), (f"  {state.stage}", "dim"))
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("segment", min_width=26)
    table.add_column("members", justify="right", min_width=8)
    table.add_column("", min_width=width)
    table.add_column("entered", justify="right", min_width=8)
    table.add_column("exited", justify="right", min_width=8)
    for row in state.rows.values():
        table.add_row(
            row.name,
            Text(f"{row.size:,}", "bold"),
            Text(sparkline(row.sizes, width), "cyan"),
            Text(f"+{row.entered:,}", "green"),
            Text(f"−{row.exited:,}", "red"),
        )
    return Group(Text(state.title, "bold"), head, Text(lag(state), "dim"), table)


def line(state: State) -> str:
    """The same for a log file: one plain line."""
    sizes = ", ".join(f"{id} {row.size:,}" for id, row in state.rows.items())
    return f"{date(state)}  {figures(state)} · {lag(state)}  {sizes}"
