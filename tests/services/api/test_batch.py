from tests.services.api.conftest import CITY, Client


def body(id_: str, definition: object = CITY, **more: object) -> dict[str, object]:
    return {"id": id_, "name": id_, "definition": definition, **more}


async def listed(shop: Client) -> list[str]:
    return [each["id"] for each in (await shop.get("/v1/segments")).json()["segments"]]


async def test_many_are_made_at_once_each_after_those_that_it_names(shop: Client) -> None:
    segments = [body("a"), body("b", {"type": "segment", "id": "a"}), {"name": "list", "type": "static"}]
    answer = await shop.post("/v1/segments:batch", json={"segments": segments})
    assert answer.status_code == 200, answer.text
    made = answer.json()["segments"]
    assert [(each["name"], each["version"], each["action"]) for each in made] == [
        ("a", 1, "create"),
        ("b", 1, "create"),
        ("list", 1, "create"),
    ]
    assert sorted(await listed(shop)) == sorted(each["id"] for each in made)
    assert (await shop.get("/v1/segments/b")).json()["definition"] == {"type": "segment", "id": "a"}


async def test_every_fault_of_every_segment_is_answered_and_none_is_made(shop: Client) -> None:
    await shop.segment("old")
    segments: list[object] = [
        body("a"),
        body("b", {"type": "tag", "nam": "x"}),
        body("a"),
        {"name": "old", "definition": CITY},
        body("c", {"type": "segment", "id": "gone"}),
        "no segment",
    ]
    answer = await shop.post("/v1/segments:batch", json={"segments": segments})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "nothing was created" in answer.json()["detail"]
    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert {"/segments/1/definition/nam", "/segments/2/id", "/segments/3/name"} <= pointers
    assert "/segments/4/definition/id" in pointers
    assert {pointer.split("/")[2] for pointer in pointers} == {"1", "2", "3", "4", "5"}
    assert await listed(shop) == ["old"]


async def test_with_upsert_those_that_are_there_are_edited(shop: Client) -> None:
    await shop.segment("a")
    await shop.segment("b")
    segments = [body("a"), body("b", description="new"), body("c")]
    refused = await shop.post("/v1/segments:batch", json={"segments": segments})
    assert refused.status_code == 422
    answer = await shop.post("/v1/segments:batch", json={"segments": segments, "upsert": True})
    assert [(each["action"], each["version"]) for each in answer.json()["segments"]] == [
        ("none", 1),
        ("edit", 2),
        ("create", 1),
    ]
    assert (await shop.get("/v1/segments/a")).json()["version"] == 1
    assert (await shop.get("/v1/segments/b")).json()["description"] == "new"


async def test_a_batch_with_a_key_is_made_once(shop: Client) -> None:
    given = {"segments": [{"name": "one", "definition": CITY}, {"name": "two", "definition": CITY}]}
    once = {"Idempotency-Key": "batch-1"}
    first = await shop.post("/v1/segments:batch", json=given, headers=once)
    again = await shop.post("/v1/segments:batch", json=given, headers=once)
    assert first.status_code == 200 and again.json() == first.json()
    assert len(await listed(shop)) == 2


async def test_a_batch_is_bounded(shop: Client) -> None:
    bodies: list[list[object]] = [[], [{}] * 10_001]
    for segments in bodies:
        answer = await shop.post("/v1/segments:batch", json={"segments": segments})
        assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/segments"]
    large = {"segments": [body("a", description="x" * (16 * 1024 * 1024))]}
    assert (await shop.post("/v1/segments:batch", json=large)).status_code == 413
