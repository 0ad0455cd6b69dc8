"""Previews of conditions on items of a list, and of sequences whose steps share a value."""

from __future__ import annotations

from typing import Any

from tests.services.api.conftest import Client
from tests.services.api.past import ORDERED, History, history, served, shop

__all__ = ["history", "served", "shop"]


async def test_what_previews_need_is_prepared_while_a_definition_is_written(
    shop: Client, history: History
) -> None:
    await history.happened("ann", "ordered", 1)
    await history.archived()
    for _ in range(3):  # one is under way at a time
        assert (await shop.post("/v1/segments/preview/prepare")).status_code == 204
    found = (await shop.post("/v1/segments/preview", json={"definition": ORDERED})).json()
    assert (found["profiles"], found["count"]) == (1, 1)


async def test_a_preview_knows_items_and_sequences_that_share_a_value(shop: Client, history: History) -> None:
    red_1, blue_1, red_2 = (
        {"color": "red", "size": 1},
        {"color": "blue", "size": 1},
        {"color": "red", "size": 2},
    )
    await history.happened("ann", "ordered", 1, products=[blue_1, red_1])
    await history.happened("bob", "ordered", 1, products=[blue_1, red_2])
    await history.happened("cy", "ordered", 1, products=[blue_1])
    for profile, bought in (("ann", "c1"), ("bob", "c2")):
        await history.happened(profile, "carted", 2, cart="c1")
        await history.happened(profile, "ordered", 2.01, cart=bought)
    await history.archived()
    filters = [{"property": name, "op": "eq", "value": value} for name, value in red_1.items()]
    steps = [{"name": "carted"}, {"name": "ordered"}]

    async def who(definition: Any) -> list[str]:
        answer = await shop.post("/v1/segments/preview", json={"definition": definition})
        assert answer.status_code == 200, answer.text
        assert answer.json()["count"] == len(answer.json()["sample"])
        return sorted(each["profile"] for each in answer.json()["sample"])

    def ordered(filter_: str, which: Any) -> Any:
        products = [{"property": "products", filter_: which}, {"property": "products", "op": "exists"}]
        return {**ORDERED, "where": products}

    assert await who(ordered("item", filters)) == ["ann"]
    assert await who(ordered("item", filters[:1])) == ["ann", "bob"]
    assert await who(ordered("no_item", filters)) == ["bob", "cy"]
    chain = {"type": "sequence", "steps": steps, "within": "1h", "window": {"last": "7d"}}
    assert await who(chain) == ["ann", "bob"]
    assert await who({**chain, "same": "cart"}) == ["ann"]
