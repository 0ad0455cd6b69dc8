"""`python -m bench imports`: a CSV file of many profiles into a segment, on the whole product as anyone starts it.

Two times: until the import is `done` (all rows are with ingest), and until all of them are members.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from livesegments.client import Client, imports, segments

COMMAND = Path(sys.executable).with_name("livesegments")
PART_BYTES = 4 << 20
PLAN = [
    {"column": "email"},
    {"column": "city"},
    {"column": "age", "type": "number"},
    {"column": "since", "type": "date"},
    {"column": "plan"},
]
MOST_S = 300.0


class Imported(Struct, frozen=True):
    """Seconds from the first byte that is sent."""

    rows: int
    done_s: float
    members_s: float


def run(rows: int) -> Imported:
    with TemporaryDirectory() as folder:
        command = [str(COMMAND), "up", "--json", "--no-console", "--data", f"{folder}/data"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as product:
            try:
                assert product.stdout is not None
                up = json.loads(product.stdout.readline())
                with Client(up["api"], up["api_key"]) as api:
                    return _imported(api, rows)
            finally:
                product.send_signal(signal.SIGTERM)
                product.wait()


def _imported(api: Client, rows: int) -> Imported:
    data = "id,email,city,age,since,plan\n" + "".join(map(_row, range(rows)))
    begun, raw = time.perf_counter(), data.encode()
    made = api.send(imports.create())
    for at in range(0, len(raw), PART_BYTES):
        api.send(imports.send(made.id, raw[at : at + PART_BYTES], offset=at))
    made = api.send(imports.start(made.id, "id", columns=PLAN, new_segment="Bench"))
    while made.state in ("waiting", "running"):
        time.sleep(0.1)
        made = api.send(imports.read(made.id))
    done_s = time.perf_counter() - begun
    assert made.segment is not None and (made.state, made.accepted) == ("done", rows), made
    while api.send(segments.count(made.segment)).count < rows:
        assert time.perf_counter() - begun < MOST_S, "not all of them became members"
        time.sleep(0.1)
    return Imported(rows, done_s, time.perf_counter() - begun)


def _row(number: int) -> str:
    day = f"2025-{number % 12 + 1:02}-{number % 28 + 1:02}"
    plan = "pro" if number % 3 else "free"
    return f"p{number},p{number}@example.com,city {number % 500},{number % 90},{day},{plan}\n"


def table(found: Imported) -> list[str]:
    return [
        "| rows | until `done` | until all are members |",
        "|---|---|---|",
        f"| {found.rows:,} | {found.done_s:.1f} s | {found.members_s:.1f} s |",
    ]
