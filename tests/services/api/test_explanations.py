"""Explanations through the api, with a real evaluator beside it."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from livesegments.api.context import Context
from livesegments.api.history import asof
from livesegments.api.profiles.explanations import ATTEMPTS
from livesegments.core.event import PROFILE, Event
from livesegments.history.asking import Was
from tests.services.api.conftest import CITY, until
from tests.services.api.living import START_MS, Shop, live, shop

__all__ = ["live", "shop"]
ORDERS = {"type": "event", "name": "order", "window": {"last": "30d"}, "value": 5}
REGULARS = {"type": "all", "of": [CITY, ORDERS]}


async def explained(shop: Shop, segment: str, profile: str) -> Any:
    answer = await shop.get(f"/v1/segments/{segment}/explanations/{profile}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_why_out_what_would_bring_in_and_what_the_clock_does(shop: Shop) -> None:
    await shop.segment("regulars", REGULARS)
    await shop.segment("list", type="static")
    await shop.settled()
    change = Event("e1", shop.workspace, "a/b", PROFILE, START_MS, {"attributes": {"city": "Kyiv"}})
    orders = [shop.event("a/b", "order", START_MS + day * 86_400_000) for day in range(3)]
    await shop.rig.send([change, *orders])
    await shop.settled()

    said = await explained(shop, "regulars", "a%2Fb")
    assert (said["profile"], said["in"], said["judged"], said["version"]) == ("a/b", False, True, 1)
    assert said["at"] == "2022-01-03T00:00:00.000Z"
    city, count = said["why"]["of"]
    assert (said["why"]["type"], said["why"]["holds"], said["why"]["evidence"]) == ("all", False, None)
    assert (city["pointer"], city["holds"], city["condition"]) == ("/of/0", True, CITY)
    assert (city["evidence"]["value"], city["evidence"]["event_id"]) == ("Kyiv", "e1")
    assert city["evidence"]["at"] == "2022-01-01T00:00:00.000Z"
    assert (count["holds"], count["evidence"]["value"], count["evidence"]["or_more"]) == (False, 3, False)
    change_ = said["change"]
    assert (change_["type"], change_["name"], change_["count"]) == ("event", "order", 2)
    assert change_["before"] == "2022-01-31T00:00:00.000Z"
    assert said["flips_at"] is None

    more = [shop.event("a/b", "order", START_MS + 3 * 86_400_000 + n) for n in range(2)]
    await shop.rig.send(more)
    await shop.settled()
    said = await explained(shop, "regulars", "a%2Fb")
    assert said["in"] and said["why"]["holds"] and said["entered_at"] == "2022-01-04T00:00:00.001Z"
    assert said["flips_at"] == "2022-01-31T00:00:00.000Z"
    assert (said["change"]["type"], said["change"]["name"]) == ("attribute", "city")

    listed = await explained(shop, "list", "a%2Fb")
    assert (listed["why"]["type"], listed["in"]) == ("list", False)
    assert (listed["change"]["type"], listed["change"]["value"]) == ("list", True)


async def test_state_and_events_are_of_one_moment(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A late order, which moves no clock, comes when the state is read and history is not: once, or each
    time."""
    await shop.segment("regulars", ORDERS)
    await shop.settled()
    await shop.rig.send([shop.event("ada", "order", START_MS + n) for n in range(3)])
    await shop.settled()
    was, late, earlier = asof.was, [1], count(START_MS - 1, -1)

    async def later(context: Context, asked: Was) -> Any:
        if late[0]:
            late[0] -= 1
            await shop.rig.send([shop.event("ada", "order", next(earlier))])
            await shop.settled()
        return await was(context, asked)

    monkeypatch.setattr(asof, "was", later)
    path = "/v1/segments/regulars/explanations/ada"
    evidence = (await shop.get(path, params={"events": 9})).json()["why"]["evidence"]
    assert (evidence["value"], len(evidence["events"])) == (4, 4)
    late[0] = ATTEMPTS
    answer = await shop.get(path, params={"events": 9})
    assert (answer.status_code, late[0]) == (503, 0)


@pytest.mark.parametrize("moment", ["before history is read", "after it"])
async def test_a_store_that_is_lost_meanwhile_explains_nothing_until_it_is_whole(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    await shop.segment("regulars", ORDERS)
    await shop.settled()
    await shop.rig.send([shop.event("ada", "order", START_MS + n) for n in range(5)])
    await shop.settled()
    path = "/v1/segments/regulars/explanations/ada"
    before = (await shop.get(path, params={"events": 9})).json()
    assert before["in"] and len(before["why"]["evidence"]["events"]) == 5
    was, lost = asof.was, [False]

    async def losing(context: Context, asked: Was) -> Any:
        if not lost[0] and moment.startswith("before"):
            lost[0] = await shop.rig.redis.flushall()
        found = await was(context, asked)
        if not lost[0]:
            lost[0] = await shop.rig.redis.flushall()
        return found

    monkeypatch.setattr(asof, "was", losing)
    answer = await shop.get(path, params={"events": 9})
    assert lost[0]
    refused = 0

    async def again() -> bool:
        """Whoever asks meanwhile is given the same answer, or none and what to do."""
        nonlocal answer, refused
        if answer.status_code == 200:
            assert answer.json()["why"] == before["why"]
            return True
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]), answer.text
        refused += 1
        answer = await shop.get(path, params={"events": 9})
        return False

    await until(again)
    assert refused, "an answer was given by a store that had nothing"


async def test_an_edit_that_waits_for_its_history_is_explained_as_it_is_served(shop: Shop) -> None:
    await shop.segment("regulars", REGULARS)
    await shop.settled()
    await shop.rig.send([shop.event("ada", "order", START_MS)])
    await shop.settled()
    edited = await shop.patch(
        "/v1/segments/regulars",
        json={"definition": {**ORDERS, "value": 1, "window": {"last": "60d"}}},
        headers={"If-Match": '"1"'},
    )
    assert edited.status_code == 200, edited.text

    async def served() -> bool:
        said = await explained(shop, "regulars", "ada")
        assert said["why"]["type"] == ("all" if said["version"] == 1 else "event")
        return bool(said["version"] == 2 and said["judged"] and said["in"])

    await until(served)


async def test_who_and_what_is_not_there(shop: Shop) -> None:
    await shop.segment("kyiv")
    await shop.settled()
    for path in ("kyiv/explanations/nobody", "none/explanations/nobody"):
        assert (await shop.get(f"/v1/segments/{path}")).status_code == 404


async def test_ids_the_wrong_way_round_are_recognised(shop: Shop) -> None:
    await shop.segment("kyiv")
    await shop.settled()
    await shop.rig.send([shop.event("ada", "seen", START_MS)])
    await shop.settled()
    at = "at=2022-01-02T00:00:00Z"
    for path in ("ada/explanations/kyiv", "ada/members/kyiv", f"ada/was?profile=kyiv&{at}"):
        answer = await shop.get(f"/v1/segments/{path}")
        assert answer.status_code == 404
        meant = "Did you mean segment 'kyiv' and profile 'ada'?"
        assert answer.json()["detail"] == f"There is no segment 'ada' here. {meant}"
    unknown = await shop.get("/v1/segments/bob/members/kyiv")
    assert unknown.json()["detail"] == "There is no segment 'bob' here."
