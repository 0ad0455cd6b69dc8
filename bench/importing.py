"""`python -m bench imports`: a CSV file of many profiles into a segment, on the whole product as anyone starts it.

Two times: until all rows are sent to ingest, and until the import is `done`, which is when all of them are members.
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
    sent_s: float
    done_s: float


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
    sent_s = 0.0
    while made.state in ("waiting", "running"):
        assert time.perf_counter() - begun < MOST_S, "it is not done"
        time.sleep(0.1)
        made = api.send(imports.read(made.id))
        if made.done == rows and not sent_s:
            sent_s = time.perf_counter() - begun
    done_s = time.perf_counter() - begun
    assert made.segment is not None and (made.state, made.accepted) == ("done", rows), made
    assert api.send(segments.count(made.segment)).count == rows
    return Imported(rows, sent_s or done_s, done_s)


def _row(number: int) -> str:
    day = f"2025-{number % 12 + 1:02}-{number % 28 + 1:02}"
    plan = "pro" if number % 3 else "free"
    return f"p{number},p{number}@example.com,city {number % 500},{number % 90},{day},{plan}\n"


def table(found: Imported) -> list[str]:
    return [
        "| rows | until all are sent | until `done`: all are members |",
        "|---|---|---|",
        f"| {found.rows:,} | {found.sent_s:.1f} s | {found.done_s:.1f} s |",
    ]
