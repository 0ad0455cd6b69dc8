import asyncio
from collections.abc import Awaitable, Callable

from tests.services.api.conftest import CITY, Client

ORDERED = {"type": "event", "name": "order_placed", "window": {"last": "2mo"}}


async def test_a_segment_is_answered_whole(shop: Client) -> None:
    made = await shop.post(
        "/v1/segments",
        json={
            "id": "kyiv",
            "name": "In Kyiv",
            "definition": CITY,
            "description": "Lives there",
            "tags": ["geo"],
            "folder": "Places/Ukraine",
            "topics": ["news", "news"],
        },
    )
    assert made.status_code == 201
    assert made.headers["ETag"] == '"1"' and made.headers["Location"] == "/v1/segments/kyiv"
    assert made.json() == {
        "id": "kyiv",
        "name": "In Kyiv",
        "type": "dynamic",
        "description": "Lives there",
        "tags": ["geo"],
        "folder": "Places/Ukraine",
        "topics": ["news"],
        "tests": [],
        "archived_at": None,
        "definition": CITY,
        "version": 1,
        "definition_version": 1,
        "created_at": "2023-11-14T22:13:20.000Z",
        "updated_at": "2023-11-14T22:13:20.000Z",
        "count": 0,
        "state": "building",
        "progress": {"done": 0, "total": 0, "estimated_end": None},
        "complete_since": None,
        "rule": None,
        "warnings": [],
    }
    shown = (await shop.get("/v1/segments/kyiv")).json()
    assert shown | {"warnings": []} == made.json()


async def test_every_fault_of_a_body_is_named_at_once(shop: Client) -> None:
    broken = {
        "type": "all",
        "of": [
            {"type": "attribute", "name": "a", "op": "like"},
            {"type": "tag", "nam": "x"},
            {"type": "segment", "id": "gone"},
        ],
    }
    answer = await shop.post("/v1/segments", json={"name": "", "definition": broken, "colour": "red"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    wanted = {"/name", "/colour", "/definition/of/0/op", "/definition/of/1/nam", "/definition/of/2/id"}
    assert wanted <= {fault["pointer"] for fault in answer.json()["errors"]}
    await shop.segment("a")
    answer = await shop.patch(
        "/v1/segments/a", json={"tags": [""], "definition": broken}, headers={"If-Match": "*"}
    )
    assert answer.status_code == 422
    wanted = {"/tags/0", *(pointer for pointer in wanted if pointer.startswith("/definition"))}
    assert wanted <= {fault["pointer"] for fault in answer.json()["errors"]}


async def test_a_reference_to_nothing_and_a_circle_are_faults(shop: Client) -> None:
    lost = await shop.post(
        "/v1/segments",
        json={"name": "x", "definition": {"type": "not", "of": {"type": "segment", "id": "gone"}}},
    )
    assert lost.status_code == 422
    assert [(f["pointer"], f["code"]) for f in lost.json()["errors"]] == [
        ("/definition/of/id", "unknown_segment")
    ]
    await shop.segment("a")
    await shop.segment("b", {"type": "segment", "id": "a"})
    circle = await shop.patch(
        "/v1/segments/a", json={"definition": {"type": "segment", "id": "b"}}, headers={"If-Match": "*"}
    )
    assert circle.status_code == 422
    assert [fault["code"] for fault in circle.json()["errors"]] == ["cycle"]
    heard = await shop.patch(
        "/v1/segments/a",
        json={
            "definition": {
                "type": "event",
                "name": "$segment_entered",
                "where": [{"property": "segment", "op": "eq", "value": "b"}],
            }
        },
        headers={"If-Match": "*"},
    )
    assert [fault["code"] for fault in heard.json()["errors"]] == ["cycle"]


async def test_a_new_segment_makes_no_circle_by_whatever_way_it_is_made(shop: Client) -> None:
    """Two that hear of all other segments would need each other, and so would one of them and who asks it."""
    every = {"type": "event", "name": "$segment_entered"}
    await shop.segment("watcher", every)
    asks = {"type": "segment", "id": "watcher"}
    for id_ in ({}, {"id": "new"}):
        for definition in (every, asks):
            body = {**id_, "name": "new", "definition": definition}
            alone = await shop.post("/v1/segments", json=body)
            many = await shop.post("/v1/segments:batch", json={"segments": [body]})
            for answer in (alone, many):
                assert answer.status_code == 422
                assert [fault["code"] for fault in answer.json()["errors"]] == ["cycle"]
    two = [{"id": name, "name": name, "definition": {"type": "tag", "name": name}} for name in ("a", "b")]
    assert (await shop.post("/v1/segments:batch", json={"segments": two})).status_code == 200
    clone = await shop.post("/v1/segments/watcher/clone", json={})
    template = await shop.post(
        "/v1/templates/never-bought/segments", json={"parameters": {"order": "$segment_entered"}}
    )
    for answer in (clone, template):
        assert answer.status_code == 422
        assert [fault["code"] for fault in answer.json()["errors"]] == ["cycle"]


async def test_an_edit_needs_the_version_that_was_read(shop: Client) -> None:
    await shop.segment("a")
    assert (await shop.patch("/v1/segments/a", json={"name": "b"})).status_code == 428
    old = {"If-Match": '"7"'}
    assert (await shop.patch("/v1/segments/a", json={"name": "b"}, headers=old)).status_code == 412
    assert (await shop.delete("/v1/segments/a", headers=old)).status_code == 412
    right = {"If-Match": '"1"'}
    renamed = await shop.patch("/v1/segments/a", json={"name": "b"}, headers=right)
    assert renamed.status_code == 200 and renamed.headers["ETag"] == '"2"'
    assert renamed.json()["definition_version"] == 1
    edited = await shop.patch("/v1/segments/a", json={"definition": ORDERED}, headers={"If-Match": '"2"'})
    assert (edited.json()["version"], edited.json()["definition_version"]) == (3, 2)
    assert edited.json()["name"] == "b"


async def test_of_two_edits_of_one_version_one_wins(shop: Client) -> None:
    await shop.segment("a")
    answers = await asyncio.gather(
        *(
            shop.patch("/v1/segments/a", json={"description": str(n)}, headers={"If-Match": '"1"'})
            for n in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    won = next(answer for answer in answers if answer.status_code == 200)
    assert (await shop.get("/v1/segments/a")).json()["description"] == won.json()["description"]


async def test_of_many_who_want_one_name_one_gets_it(
    shop: Client, open_workspace: Callable[..., Awaitable[Client]]
) -> None:
    answers = await asyncio.gather(
        *(shop.post("/v1/segments", json={"name": "VIP", "definition": CITY}) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    elsewhere = await open_workspace()
    assert (await elsewhere.segment("vip", name="VIP"))["name"] == "VIP"


async def test_a_name_is_one_whatever_its_case_and_the_other_is_named(shop: Client) -> None:
    await shop.segment("vip", name="VIP  Customers")
    await shop.segment("other")
    name = " vip customers"
    body = {"name": name, "definition": CITY}
    made = await shop.post("/v1/segments", json=body)
    renamed = await shop.patch("/v1/segments/other", json={"name": name}, headers={"If-Match": "*"})
    for refused in (made, renamed):
        assert (refused.status_code, refused.json()["errors"]) == (
            409,
            [
                {
                    "pointer": "/name",
                    "code": "taken",
                    "message": "segment 'vip' (VIP  Customers) has this name",
                }
            ],
        )
    several = await shop.post("/v1/segments:batch", json={"segments": [{**body, "name": "New"}, body]})
    assert (several.status_code, several.json()["errors"][0]["pointer"]) == (422, "/segments/1/name")
    own = await shop.patch("/v1/segments/vip", json={"name": name.strip()}, headers={"If-Match": "*"})
    assert own.json()["name"] == "vip customers"
    again = await shop.post("/v1/segments", json={"id": "vip", **body})
    assert again.json()["errors"][0] == {
        "pointer": "/id",
        "code": "taken",
        "message": "segment 'vip' (vip customers) has this id",
    }


async def test_null_empties_what_describes_a_segment(shop: Client) -> None:
    await shop.segment("a", description="d", tags=["t"], folder="f", topics=["n"])
    edit = {"description": None, "tags": None, "folder": None, "topics": None}
    found = (await shop.patch("/v1/segments/a", json=edit, headers={"If-Match": "*"})).json()
    assert [found[name] for name in edit] == ["", [], "", []]
    assert found["definition_version"] == 1
    long = {"folder": "f" * 201, "topics": ["n" * 101]}
    refused = await shop.patch("/v1/segments/a", json=long, headers={"If-Match": "*"})
    assert {fault["pointer"] for fault in refused.json()["errors"]} == {"/folder", "/topics/0"}


async def test_what_others_refer_to_is_not_deleted(shop: Client) -> None:
    await shop.segment("a")
    await shop.segment("b", {"type": "not", "of": {"type": "segment", "id": "a"}})
    refused = await shop.delete("/v1/segments/a")
    assert refused.status_code == 409
    assert "'b'" in refused.json()["errors"][0]["message"]
    assert (await shop.delete("/v1/segments/b")).status_code == 204
    assert (await shop.delete("/v1/segments/a")).status_code == 204
    assert (await shop.get("/v1/segments/a")).status_code == 404


async def test_an_id_used_again_goes_on_counting_versions(shop: Client) -> None:
    await shop.segment("a")
    await shop.delete("/v1/segments/a")
    assert (await shop.segment("a", ORDERED))["definition_version"] == 2


async def test_the_list_is_searched_filtered_sorted_and_paged(shop: Client) -> None:
    for number in range(5):
        tags = ["even"] if number % 2 == 0 else []
        fields = {"tags": tags, "folder": "A/B" if number else "AB", "topics": [f"t{number}"]}
        await shop.segment(f"s{number}", name=f"Name {number}", **fields)
    await shop.segment("list", type="static", description="A NAME to find", folder="A")

    async def ids(**query: str | int) -> list[str]:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await shop.get("/v1/segments", params={**query, "limit": 2, **cursor})).json()
            assert len(page["segments"]) <= 2
            found += [segment["id"] for segment in page["segments"]]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    assert await ids() == ["list", "s0", "s1", "s2", "s3", "s4"]
    assert await ids(sort="name", order="desc") == ["s4", "s3", "s2", "s1", "s0", "list"]
    assert await ids(search="name 3") == ["s3"]
    assert await ids(search="to find") == ["list"]
    assert await ids(tag="even") == ["s0", "s2", "s4"]
    assert await ids(type="static") == ["list"]
    assert await ids(topic="t3") == ["s3"]
    assert await ids(folder="A") == ["list", "s1", "s2", "s3", "s4"]
    assert await ids(folder="A/B", tag="even") == ["s2", "s4"]
    assert await ids(folder="") == []
    assert await ids(state="ready") == []
    assert sorted(await ids(sort="size")) == ["list", "s0", "s1", "s2", "s3", "s4"]
    assert await ids(sort="created") == sorted(await ids())
    cursor = (await shop.get("/v1/segments?limit=2")).json()["next_cursor"]
    foreign = await shop.get("/v1/segments", params={"cursor": cursor, "order": "desc"})
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (422, "query: cursor")


async def test_a_post_with_an_idempotency_key_is_done_once(shop: Client) -> None:
    again = {"Idempotency-Key": "k-1"}
    body = {"name": "Once", "definition": CITY}
    first = await shop.post("/v1/segments", json=body, headers=again)
    second = await shop.post("/v1/segments", json=body, headers=again)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json() and second.headers["ETag"] == first.headers["ETag"]
    other = await shop.post("/v1/segments", json={**body, "name": "Else"}, headers=again)
    assert other.status_code == 422
    assert len((await shop.get("/v1/segments")).json()["segments"]) == 1


async def test_a_type_that_is_none_is_told_those_that_there_are(shop: Client) -> None:
    answer = await shop.post("/v1/segments", json={"name": "a", "type": "dynmic", "definition": CITY})
    assert answer.json()["errors"] == [
        {"pointer": "/type", "code": "unknown_value", "message": "must be 'dynamic' or 'static'"}
    ]


async def test_an_archived_segment_stays_and_is_out_of_the_way(shop: Client) -> None:
    await shop.segment("a", name="A", folder="f")
    await shop.segment("b", {"type": "segment", "id": "a"})
    refused = await shop.post("/v1/segments/a/archive")
    assert refused.status_code == 409 and "'b' (b)" in refused.json()["errors"][0]["message"]
    stale = await shop.post("/v1/segments/b/archive", headers={"If-Match": '"9"'})
    assert stale.status_code == 412
    for id_ in ("b", "a", "a"):
        found = await shop.post(f"/v1/segments/{id_}/archive")
        assert found.status_code == 200 and found.json()["state"] == "archived", found.text
    assert found.headers["ETag"] == f'"{found.json()["version"]}"'
    assert (await shop.get("/v1/segments")).json()["segments"] == []
    listed = (await shop.get("/v1/segments", params={"state": "archived"})).json()["segments"]
    assert [(each["id"], each["folder"], each["definition_version"]) for each in listed] == [
        ("a", "f", 1),
        ("b", "", 1),
    ]
    taken = await shop.post("/v1/segments", json={"name": "a", "definition": CITY})
    named = await shop.post("/v1/segments", json={"name": "n", "definition": {"type": "segment", "id": "a"}})
    assert (taken.status_code, named.status_code) == (409, 422)
    users = (await shop.get("/v1/segments/a/used-by")).json()["used_by"]
    assert users == [{"kind": "segment", "id": "b", "name": "b", "archived": True}]
    assert (await shop.delete("/v1/segments/a")).status_code == 409
    lost = await shop.post("/v1/segments/b/unarchive")
    assert [fault["code"] for fault in lost.json()["errors"]] == ["unknown_segment"]
    for id_ in ("a", "b"):
        back = (await shop.post(f"/v1/segments/{id_}/unarchive")).json()
        assert (back["archived_at"], back["state"], back["definition_version"]) == (None, "building", 2)
    again = (await shop.post("/v1/segments/a/unarchive")).json()
    assert again["definition_version"] == 2


async def test_nobody_is_put_on_the_list_of_an_archived_segment(shop: Client) -> None:
    await shop.segment("list", type="static")
    await shop.post("/v1/segments/list/archive")
    refused = await shop.post("/v1/segments/list/members", json={"profiles": ["ann"]})
    assert refused.status_code == 409
    assert (await shop.post("/v1/segments/list/unarchive")).json()["definition_version"] == 1
    assert (await shop.post("/v1/segments/list/members", json={"profiles": ["ann"]})).status_code == 202


async def test_a_copy_has_what_its_original_has_but_id_and_name(shop: Client) -> None:
    fields = {"description": "d", "tags": ["t"], "folder": "f", "topics": ["n"]}
    await shop.segment("a", ORDERED, name="A", **fields)
    made = [
        await shop.post("/v1/segments/a/clone", json=body) for body in (None, {}, {"id": "c", "name": "C"})
    ]
    assert [each.status_code for each in made] == [201] * 3
    assert [each.json()["name"] for each in made] == ["A (copy)", "A (copy 2)", "C"]
    assert made[2].headers["Location"] == "/v1/segments/c"
    for each in made:
        assert each.json() | {**fields, "definition": ORDERED} == each.json()
    assert (await shop.post("/v1/segments/a/clone", json={"name": "c"})).status_code == 409
    await shop.segment("list", type="static", name="L" * 200)
    copied = (await shop.post("/v1/segments/list/clone", json={})).json()
    assert (copied["type"], copied["name"]) == ("static", "L" * 193 + " (copy)")


async def test_an_earlier_definition_comes_back_as_a_new_version(shop: Client) -> None:
    await shop.segment("a", {"type": "all", "of": [CITY, ORDERED]}, name="A")
    edit = {"definition": {"type": "all", "of": [ORDERED]}, "name": "B"}
    await shop.patch("/v1/segments/a", json=edit, headers={"If-Match": "*"})
    place = "/v1/segments/a/versions"
    first = (await shop.get(f"{place}/1")).json()
    assert (first["by"], first["definition"]) == ("k", {"type": "all", "of": [CITY, ORDERED]})
    found = (await shop.get(f"{place}/2/diff")).json()
    removed = {"kind": "removed", "pointer": "/of/0", "before": CITY, "after": None}
    assert found == {"before": 1, "after": 2, "by": "k", "changes": [removed]}
    assert [each["kind"] for each in (await shop.get(f"{place}/1/diff")).json()["changes"]] == ["changed"]
    stale = await shop.post(f"{place}/1/rollback", headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    back = await shop.post(f"{place}/1/rollback", headers={"If-Match": '"2"'})
    assert (back.status_code, back.headers["ETag"]) == (200, '"3"')
    assert (back.json()["definition_version"], back.json()["name"]) == (3, "B")
    assert back.json()["definition"] == first["definition"]
    assert [each["version"] for each in (await shop.get(place)).json()["versions"]] == [3, 2, 1]
    assert (await shop.post(f"{place}/3/rollback")).status_code == 409
    assert (await shop.post(f"{place}/9/rollback")).status_code == 404


async def test_a_definition_that_names_what_is_gone_does_not_come_back(shop: Client) -> None:
    await shop.segment("other")
    await shop.segment("a", {"type": "segment", "id": "other"})
    await shop.patch("/v1/segments/a", json={"definition": CITY}, headers={"If-Match": "*"})
    await shop.delete("/v1/segments/other")
    refused = await shop.post("/v1/segments/a/versions/1/rollback")
    assert refused.status_code == 409
    assert [fault["code"] for fault in refused.json()["errors"]] == ["unknown_segment"]
