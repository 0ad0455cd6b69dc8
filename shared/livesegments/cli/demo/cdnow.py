"""CDNOW: all purchases, until the middle of 1998, of the customers who first bought in early 1997.

The file has fixed columns: customer, day, CDs, dollars. A purchase is sent to ingest in our own event
form, at its day's midnight in New York; its id is the number of its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from livesegments.cli.demo import generator
from livesegments.cli.demo.log import Happening, Log, Wheel

ZONE = "America/New_York"
CUSTOMERS = 23_570
PURCHASES = 69_659


@cache
def _midnight(day: str) -> datetime:
    return datetime.strptime(day, "%Y%m%d").replace(tzinfo=ZoneInfo(ZONE))


def read(raw: Path) -> Iterator[Happening]:
    """Every purchase, by day, then line."""
    lines = raw.read_text("ascii").splitlines()[1:]
    rows = [
        (day, line, customer, cds, dollars)
        for line, (customer, day, cds, dollars) in enumerate(map(str.split, lines), 1)
    ]
    for day, line, customer, cds, dollars in sorted(rows):
        at = _midnight(day)
        event = {
            "id": f"cdnow-{line:06}",
            "profile": customer,
            "name": "order_placed",
            "time": at.isoformat(),
            "properties": {"cds": int(cds), "dollars": float(dollars)},
        }
        yield Happening(int(at.timestamp() * 1000), customer, "own", msgspec.json.encode(event))


LOG = Log(
    id="cdnow",
    title="CDNOW, a music shop: purchases of 1997 and 1998",
    timezone=ZONE,
    wheel=Wheel(
        package="lifetimes",
        version="0.11.3",
        sha256="261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8",
        member="lifetimes/datasets/CDNOW_master.txt",
    ),
    generate=generator.cdnow,
    read=read,
    segments=(
        "active",
        "new-customers",
        "one-time-buyers",
        "vip",
        "big-spenders",
        "quick-second-order",
        "big-box-then-silence",
        "at-risk",
        "slipped-away",
        "lapsed",
        "win-back",
        "three-months-of-six",
        "twice-last-quarter",
        "large-last-order",
        "letter-a",
    ),
    late="back-soon",
    checkpoints=(
        datetime(1997, 4, 10, 12, tzinfo=ZoneInfo(ZONE)),
        datetime(1998, 7, 1, tzinfo=ZoneInfo(ZONE)),
    ),
    explained="vip",
    foreseen="at-risk",
    past=datetime(1997, 12, 25, 12, tzinfo=ZoneInfo(ZONE)),
)
