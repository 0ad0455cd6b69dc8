"""A computed attribute on the whole road: an event over HTTP, the log, the evaluator, and the transition that is heard."""

from __future__ import annotations

import asyncio
import json

import httpx

from tests.e2e.conftest import Product

SPENT = {"name": "wine_ordered", "window": {"last": "90d"}, "measure": {"of": "sum", "property": "total"}}
ASKS = {"type": "attribute", "name": "computed:wine_spent", "op": "gt", "value": 300}
ORDERS = [
    {"id": f"w{at}", "profile": "wim", "name": "wine_ordered", "time": "2024-02-10T00:00:00Z",
     "properties": {"total": total}}
    for at, total in enumerate((0.1, 0.2, 300))
]  # fmt: skip


async def test_a_transition_that_is_heard_says_what_the_computed_attribute_was(product: Product) -> None:
    api = {"Authorization": f"Bearer {product.up['api_key']}"}
    write = {"Authorization": f"Bearer {product.up['write_key']}"}
    caller = httpx.AsyncClient(base_url=product.up["api"], headers=api, timeout=None)
    async with asyncio.timeout(60), caller as client:
        put = await client.put("/v1/computed-attributes/wine_spent", json=SPENT)
        assert put.status_code == 200, put.text
        body = {"id": "wine", "name": "Wine", "definition": ASKS}
        assert (await client.post("/v1/segments", json=body)).status_code == 201
        await product.json("settle")
        async with client.stream("GET", "/v1/transitions", params={"segment": "wine"}) as heard:
            lines = heard.aiter_lines()
            assert "listening" in await anext(lines)
            sent = await client.post(f"{product.up['ingest']}/v1/events", json=ORDERS, headers=write)
            assert sent.status_code == 202, sent.text
            while not (line := await anext(lines)).startswith("data: "):
                pass
        told = json.loads(line.removeprefix("data: "))
        assert (told["kind"], told["profile"], told["event_id"]) == ("entered", "wim", "w2")
        assert told["computed"] == {"wine_spent": 300.3}
        wim = (await client.get("/v1/profiles/wim")).json()
        assert wim["computed"]["wine_spent"]["value"] == 300.3
