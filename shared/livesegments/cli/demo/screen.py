"""Where the demo shows itself: a live picture on a terminal, plain lines anywhere else, JSON on request."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from livesegments.cli import explain, output
from livesegments.cli.context import Up, command
from livesegments.cli.demo import view
from livesegments.cli.demo.asked import Asked, Explained
from livesegments.cli.demo.late import Late
from livesegments.cli.demo.log import Log
from livesegments.cli.demo.proof import Comparison

BEAT_S = 2.0
REFRESHES_PER_S = 4
EXAMPLES = 3


class Screen:
    """With `as_json` the proof is JSON on standard output, and all else goes to standard error."""

    def __init__(self, as_json: bool = False) -> None:
        self._json = as_json
        self._console: Console = output.errors if as_json else output.console
        self._beaten = 0.0

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def live(self, state: view.State) -> Iterator[None]:
        """Shows the state while in it; on a terminal its last picture stays."""
        if not self._console.is_terminal:
            yield
            return
        with Live(
            get_renderable=lambda: view.render(state, self._console.width),
            console=self._console,
            refresh_per_second=REFRESHES_PER_S,
        ):
            yield

    def beat(self, state: view.State) -> None:
        """Off a terminal: a line every `BEAT_S` seconds."""
        if not self._console.is_terminal and time.monotonic() - self._beaten >= BEAT_S:
            self._beaten = time.monotonic()
            self.say(view.line(state))

    def proof(self, log: Log, instant: datetime, comparisons: Sequence[Comparison]) -> None:
        """The comparison, segment by segment; profiles that differ are named."""
        if self._json:
            for item in comparisons:
                output.json({"log": log.id, "instant": instant, "equal": item.equal, "comparison": item})
            return
        told = f"{log.title}: as of {instant:%Y-%m-%d %H:%M %Z}, recomputed from {log.file}"
        table = _table("segment", ("members", "announced", "recomputed", "missing", "extra"))
        for item in comparisons:
            counts = (item.members, item.announced, item.recomputed, len(item.missing), len(item.extra))
            right = _verdict(item.equal, differences(item))
            table.add_row(item.segment, *(f"{count:,}" for count in counts), right)
        self._console.print(Text(f"\n{told}", "bold"))
        self._console.print(table)
        self._console.print()

    def late(self, log: Log, changes: Sequence[Late]) -> None:
        """The segment that came after the replay: when it was ready, who entered, whether it is right."""
        if self._json:
            for item in changes:
                output.json({"log": log.id, "equal": not item.faults, "late": item})
            return
        name = log.definition(log.late)["name"]
        self._console.print(Text(f"{name}, a segment made after the replay, from the archive", "bold"))
        table = _table("", ("window", "ready after", "entered", "exited", "members", "recomputed"))
        for file, item in zip((log.late, log.edited), changes, strict=True):
            window = log.definition(file)["definition"]["window"]["last"]
            counts = (item.entered, item.exited, item.comparison.members, item.comparison.recomputed)
            right = _verdict(not item.faults, "; ".join(item.faults))
            took = f"{item.took_s:.1f} s"
            table.add_row(item.change, window, took, *(f"{count:,}" for count in counts), right)
        self._console.print(table)
        self._console.print()

    def asked(self, log: Log, found: Asked) -> None:
        """The explanation, the forecast and the past, each beside what the analyst says of it."""
        if self._json:
            output.json({"log": log.id, "equal": found.equal, "asked": found})
            return
        self._explained(log, found.explained)
        name = log.definition(log.foreseen)["name"]
        self._console.print(Text(f"{name}: forecast, if nothing happens but the clock", "bold"))
        table = _table("within", ("leave", "recomputed", "enter", "recomputed"))
        for ahead in found.foreseen:
            counts = (ahead.leave, ahead.recomputed_leave, ahead.enter, ahead.recomputed_enter)
            table.add_row(ahead.within, *(f"{count:,}" for count in counts), _verdict(ahead.equal, "DIFFERS"))
        self._console.print(table)
        self._console.print()
        told = f"{log.title}: who was in it on {log.past:%Y-%m-%d %H:%M %Z}, asked now"
        self._console.print(Text(told, "bold"))
        table = _table("segment", ("members then", "recomputed"))
        for item in found.then:
            right = _verdict(item.equal, differences(item))
            table.add_row(item.segment, f"{item.members:,}", f"{item.recomputed:,}", right)
        self._console.print(table)
        self._console.print()

    def _explained(self, log: Log, found: Explained) -> None:
        if found.said is not None:
            self._console.print(Text(f"Why is {found.said['profile']} in {log.explained}?", "bold"))
            for line in explain.lines(found.said, ZoneInfo(log.timezone)):
                self._console.print(line, soft_wrap=True)
        if found.reason is not None:
            amounts = ", ".join(
                f"{amount:,.2f}".removesuffix(".00") for amount in found.reason.amounts.values()
            )
            flips = found.reason.flips_at.astimezone(ZoneInfo(log.timezone))
            told = f"recomputed: {amounts}, until {flips:%Y-%m-%d %H:%M:%S}  "
            right = _verdict(not found.faults, "; ".join(found.faults))
            self._console.print(Text.assemble((told, "dim"), right, "\n"))

    def verdict(self, equal: bool, took_s: float) -> None:
        told = "Every membership and every answer is" if equal else "NOT every membership and answer is"
        style = "bold green" if equal else "bold red"
        self._console.print(Text(f"{told} as recomputed from the raw files. ({took_s:.0f} s)", style))

    def keeping(self, up: Up, data: Path, workspace: str) -> None:
        if up.console:
            self.say(f"\nlook at it: {up.console} (sign in with the admin key {up.admin_key})")
        self.say(f"\nserving: api {up.api}, ingest {up.ingest}; interrupt (Ctrl+C) to end and remove it all")
        self.say(f"try: {command()} segments list --data {data} -w {workspace}")


def _table(first: str, numbers: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first)
    for column in numbers:
        table.add_column(column, justify="right")
    table.add_column("")
    return table


def _verdict(equal: bool, otherwise: str) -> Text:
    return Text("equal", "green") if equal else Text(otherwise, "bold red")


def differences(item: Comparison) -> str:
    """The first few profiles that are missing (−) or extra (+)."""
    named = [f"−{profile}" for profile in item.missing[:EXAMPLES]]
    named += [f"+{profile}" for profile in item.extra[:EXAMPLES]]
    return "DIFFERS: " + " ".join(named)
