"""The forecast, held against what the clock of the log then does."""

from __future__ import annotations

from random import Random

import pytest

from livesegments.api.history import forecasts
from livesegments.api.web import times
from livesegments.core.event import PROFILE, Event
from livesegments.core.forecast import projected
from tests.services.api.conftest import ADMIN_KEY, Client
from tests.services.api.living import DAY_MS, START_MS, Shop, at_least, live, shop

__all__ = ["live", "shop"]
SEGMENTS = {
    "buyers": {"type": "event", "name": "order", "window": {"last": "30d"}, "value": 2},
    "carts": {
        "type": "sequence",
        "steps": [{"name": "cart"}, {"name": "order", "absent": True}],
        "within": "20d",
    },
    "birthdays": {"type": "attribute", "name": "born", "op": "anniversary_in_next", "value": "5d"},
    "quiet": {"type": "not", "of": {"type": "segment", "id": "buyers"}},
}


async def filled(shop: Shop) -> int:
    """Sixty profiles with orders, carts and birthdays of the last 40 days; the instant of the last."""
    for name, definition in SEGMENTS.items():
        await shop.segment(name, definition)
    await shop.settled()
    start_ms = await at_least(shop, START_MS)
    chance, events = Random(7), []
    for number in range(60):
        profile = f"p{number}"
        born = times.iso(start_ms + chance.randrange(60) * DAY_MS - 30 * 365 * DAY_MS)
        change = {"attributes": {"born": born}}
        events.append(Event(f"b{number}", shop.workspace, profile, PROFILE, start_ms, change))
        for count in range(chance.randrange(5)):
            at_ms = start_ms + chance.randrange(40 * DAY_MS)
            events.append(shop.event(profile, chance.choice(("order", "cart")), at_ms + count))
    await shop.rig.send(sorted(events, key=lambda event: event.time_ms))
    await shop.settled()
    return start_ms + 40 * DAY_MS


async def move(shop: Shop, to: int) -> None:
    async with Client(shop.url, ADMIN_KEY) as boss:
        assert (await boss.post("/v1/clock", json={"to": to})).status_code == 200
    await shop.settled()


async def test_a_forecast_is_what_the_clock_then_does(shop: Shop) -> None:
    now_ms = await filled(shop)
    await move(shop, now_ms)
    before = {name: set(await shop.members(name)) for name in SEGMENTS}
    said = {name: (await shop.get(f"/v1/segments/{name}/forecast")).json() for name in SEGMENTS}
    moved = {name: (set[str](), set[str]()) for name in SEGMENTS}
    # Day by day: who leaves and comes back counts, too.
    for day in range(1, 31):
        await move(shop, now_ms + day * DAY_MS)
        for name, (left, entered) in moved.items():
            after = set(await shop.members(name))
            left.update(before[name] - after)
            entered.update(after - before[name])
        if day not in (1, 7, 30):
            continue
        at = (1, 7, 30).index(day)
        for name, (left, entered) in moved.items():
            ahead = said[name]["ahead"][at]
            assert ahead["until"] == times.iso(now_ms + day * DAY_MS)
            assert (ahead["leave"], ahead["enter"]) == (len(left), len(entered)), (name, day)
            assert ahead["leave_margin"] == ahead["enter_margin"] == 0
    assert all(any(sides) for sides in moved.values())


async def test_more_profiles_than_are_looked_at_are_estimated(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(shop)
    exact = (await shop.get("/v1/segments/quiet/forecast")).json()
    monkeypatch.setattr(forecasts, "EXACT_BELOW", 20)
    said = (await shop.get("/v1/segments/quiet/forecast")).json()
    assert (said["looked_at"], said["of"]) == (20, exact["of"]) and exact["looked_at"] == exact["of"]
    for estimate, true in zip(said["ahead"], exact["ahead"], strict=True):
        # which are drawn goes by the workspace's random id: one margin would be too small now and then
        assert abs(estimate["enter"] - true["enter"]) <= 3 * estimate["enter_margin"]


def test_a_margin_holds_in_nineteen_of_twenty_samples() -> None:
    chance, total, size = Random(3), 5_000, 400
    population = [number < 900 for number in range(total)]
    off = 0
    for _ in range(400):
        count = sum(chance.sample(population, size))
        estimate, margin = projected(count, size, total)
        off += abs(estimate - 900) > margin
    assert off <= 400 * 0.08
    assert projected(7, 10, 10) == (7, 0)
    assert projected(0, 20, 100) == (0, 15) and projected(20, 20, 100) == (100, 15)


async def test_who_is_not_there(shop: Shop) -> None:
    assert (await shop.get("/v1/segments/none/forecast")).status_code == 404
