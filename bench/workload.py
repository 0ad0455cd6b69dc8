"""A shop's events and its segments, made from a seed: the same for every contender.

Ten broad segments are in every size and are what a tenth of the events flip. All others are narrow, as
segments are in life: each asks for one campaign, product, city or plan among thousands, in every form
that the language has. So the share of events that flip anything stays alike, whatever the size.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from livesegments.core.definition import Node
from livesegments.core.event import PROFILE, Event

WORKSPACE = "bench"
PROFILES = 20_000
START_MS = 1_700_000_000_000
SPAN_MS = 60 * 86_400_000
NAMES = ("page", "email_opened", "email_clicked", "cart_updated", "order_placed", PROFILE)
SHARES = (38, 30, 10, 8, 6, 8)
IDS = 50_000
COUNTRIES = ("DE", "FR", "US", "GB", "ES", "IT", "NL", "PL")

Json = dict[str, Any]


def event(name: str, last: str | None = None, **more: Any) -> Json:
    window = {} if last is None else {"window": {"last": last}}
    return {"type": "event", "name": name, **window, **more}


def where(name: str, value: Any) -> Json:
    return {"where": [{"property": name, "op": "eq", "value": value}]}


def attribute(name: str, op: str, value: Any) -> Json:
    return {"type": "attribute", "name": name, "op": op, "value": value}


def every(*nodes: Json) -> Json:
    return {"type": "all", "of": list(nodes)}


def broad() -> dict[str, Json]:
    total = {"measure": {"of": "sum", "property": "total"}}
    return {
        "engaged": event("email_opened", "30d", value=5),
        "buyers": event("order_placed", "2mo"),
        "loyal": event("order_placed", "90d", value=3),
        "spenders": event("order_placed", "90d", **total, op="gte", value=300),
        "german": attribute("country", "eq", "DE"),
        "young": attribute("age", "between", [18, 29]),
        "abandoned": {
            "type": "sequence", "within": "1h", "window": {"last": "7d"},
            "steps": [{"name": "cart_updated"}, {"name": "order_placed", "absent": True}],
        },
        "browsing": event("page", "14d", measure={"of": "days"}, value=4),
        "wooed": every(event("email_clicked", "1mo", value=3), {"type": "not", "of": event("order_placed", "1mo")}),
        "german-buyers": every({"type": "segment", "id": "buyers"}, attribute("country", "eq", "DE")),
    }  # fmt: skip


def narrow(index: int, random: Random) -> Json:
    campaign = where("campaign_id", f"c{random.randrange(IDS)}")
    product = where("product_id", f"p{random.randrange(IDS)}")
    match index % 8:
        case 0:
            return event("email_opened", "30d", **campaign, value=random.randint(1, 3))
        case 1:
            return event("email_clicked", "90d", **campaign)
        case 2:
            return event("page", "7d", **product, value=random.randint(2, 4))
        case 3:
            total = {"of": "sum", "property": "total"}
            return event("order_placed", "1y", **product, measure=total, op="gt", value=100)
        case 4:
            return attribute("city", "eq", f"city{random.randrange(IDS)}")
        case 5:
            return attribute("points", "gt", 1_000_000 + random.randrange(IDS))
        case 6:
            steps = [{"name": "cart_updated", **product}, {"name": "order_placed", "absent": True}]
            return {"type": "sequence", "within": "2h", "window": {"last": "14d"}, "steps": steps}
    return every(event("email_opened", "30d", **campaign), attribute("country", "in", ["DE", "FR"]))


def definitions(count: int, seed: int = 1) -> dict[str, Json]:
    """`count` ≥ 10 segments by id."""
    random = Random(seed)
    found = broad()
    for index in range(count - len(found)):
        found[f"narrow-{index}"] = narrow(index, random)
    return found


def nodes(count: int) -> dict[str, Node]:
    return {name: msgspec.convert(item, Node) for name, item in definitions(count).items()}


def events(count: int, seed: int = 2) -> Iterator[Event]:
    """In the order of their times, spread over `SPAN_MS`; ids are unique."""
    random = Random(seed)
    for index in range(count):
        name = random.choices(NAMES, SHARES)[0]
        profile = f"profile-{random.randrange(PROFILES)}"
        at = START_MS + index * SPAN_MS // count
        properties = _properties(name, random)
        yield Event(f"event-{index}", WORKSPACE, profile, name, at, properties)


def _properties(name: str, random: Random) -> Json:
    match name:
        case "$profile":
            values = {
                "country": random.choice(COUNTRIES),
                "city": f"city{random.randrange(IDS)}",
                "age": random.randint(18, 80),
                "points": random.randrange(1_000_000),
            }
            chosen = random.choice(sorted(values))
            return {"attributes": {chosen: values[chosen]}}
        case "email_opened" | "email_clicked":
            return {"campaign_id": f"c{random.randrange(IDS)}"}
        case "order_placed":
            total = random.randrange(500, 20_000) / 100
            return {"product_id": f"p{random.randrange(IDS)}", "total": total}
    return {"product_id": f"p{random.randrange(IDS)}"}
