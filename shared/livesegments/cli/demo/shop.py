"""A shop's clickstream of 600 visitors in early 2024, sent to ingest as Segment's own clients would send it.

Pages become `page`, everything else `track`; the columns about the visitor, which the file repeats on every
row, become `identify`, sent when they change. An event's id is the line it stands on. The stamps name no
zone: UTC.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from livesegments.cli.demo import generator
from livesegments.cli.demo.log import Happening, Log, Wheel

ZONE = "Europe/Berlin"
VISITORS = 600
CLICKS = 31_106
PAGES = frozenset({"home", "catalog", "promo_page", "account_page", "review_page", "error_page", "cart"})


def read(raw: Path) -> Iterator[Happening]:
    """Every event, by time, then line; before it, an `identify` with everything new about the visitor."""
    with gzip.open(raw, "rt", encoding="utf-8", newline="") as file:
        rows = list(enumerate(csv.DictReader(file), 1))
    rows.sort(key=lambda row: (row[1]["timestamp"], row[0]))
    known: dict[str, dict[str, Any]] = {}
    for line, row in rows:
        visitor, at = row["user_id"], datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
        common = {"messageId": f"shop-{line:05}", "userId": visitor, "timestamp": at.isoformat()}
        traits = _traits(row)
        before = known.setdefault(visitor, {"created_at": ""})
        if not before["created_at"]:
            traits["created_at"] = at.isoformat()
        changed = {name: value for name, value in traits.items() if before.get(name) != value}
        if changed:
            before |= changed
            told = common | {"type": "identify", "messageId": f"shop-{line:05}-traits", "traits": changed}
            yield _happening(at, told)
        yield _happening(at, common | _what(row))


def _traits(row: dict[str, str]) -> dict[str, Any]:
    tags = {"tags": ["paid"]} if row["acquisition_channel"] == "paid_search" else {}
    return tags | {
        "acquisition_channel": row["acquisition_channel"],
        "cohort": row["user_cohort"],
        "lifecycle": row["user_lifecycle"],
    }


def _what(row: dict[str, str]) -> dict[str, Any]:
    properties = {"platform": row["platform"], "session_id": row["session_id"]}
    if row["event"] in PAGES:
        return {"type": "page", "name": row["event"], "properties": properties}
    return {"type": "track", "event": row["event"], "properties": properties}


def _happening(at: datetime, call: dict[str, Any]) -> Happening:
    return Happening(int(at.timestamp() * 1000), call["userId"], "segment", msgspec.json.encode(call))


LOG = Log(
    id="shop",
    title="A web shop: clickstream of early 2024",
    timezone=ZONE,
    wheel=Wheel(
        package="retentioneering",
        version="5.2.4",
        sha256="f4ab91b67c6deed93728bfb6e503adfe304f101a53e9112ee0219b304b0f3b1a",
        member="retentioneering/datasets/ecom.csv.gz",
    ),
    generate=generator.shop,
    read=read,
    segments=(
        "newcomers",
        "regulars",
        "multi-device",
        "paid-mobile",
        "window-shoppers",
        "cart-abandoners",
        "lost-sessions",
        "warm-leads",
        "checkout-trouble",
        "needs-help",
        "may-buyers-gone",
        "became-loyal",
        "loyal-going-cold",
        "settled-in",
        "first-anniversary",
        "tagged-buyers",
        "keen",
        "handheld",
        "phone-first",
        "weekly",
        "bought-last-month",
    ),
    value_lists={"handheld": ("mobile", "tablet")},
    computed={
        "favourite_platform": {
            "name": "product_view",
            "window": {"last": "30d"},
            "measure": {"of": "mode", "property": "platform"},
        }
    },
    late="cart-fillers",
    checkpoints=(
        datetime(2024, 5, 1, tzinfo=ZoneInfo(ZONE)),
        datetime(2024, 7, 1, tzinfo=ZoneInfo(ZONE)),
    ),
    explained="regulars",
    foreseen="loyal-going-cold",
    past=datetime(2024, 6, 1, tzinfo=ZoneInfo(ZONE)),
)
