"""The list of segments and a segment's page, as a marketer goes through them."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import msgspec
import pytest
from playwright.async_api import Page, expect

from livesegments.client import AsyncClient, Invalid, members, segments, workspaces
from livesegments.client.segments import DefinitionTest
from livesegments.console.pages.segment.trying import Expects, Happens, Wrong, made, written
from tests.product import Product
from tests.services.console.conftest import HOSTILE, OpenPage, Shop, sign_in, whole
from tests.services.console.looks import for_everybody

CITY = {"type": "attribute", "name": "town", "op": "eq", "value": "Kyiv"}
TIME = "2024-02-12T00:00:00Z"


async def make(shop: Shop, id_: str, definition: object, **fields: object) -> None:
    async with shop.client() as client:
        await client.send(segments.create(f"Name of {id_}", definition, id=id_, **fields))  # type: ignore[arg-type]


async def act(page: Page, name: str, action: str) -> None:
    await page.get_by_role("button", name=f"What to do with {name}").click()
    await page.get_by_role("button", name=action, exact=True).click()


async def test_one_finds_sorts_and_comes_back_to_what_was_found(open_page: OpenPage, shop: Shop) -> None:
    await make(shop, "find-b", CITY, tags=["findable"], description="Tea drinkers")
    await make(shop, "find-a", CITY, tags=["findable"])
    page = await open_page("/segments")
    await page.get_by_label("Search").press_sequentially("tea drink")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("tbody")).to_contain_text("Name of find-b")
    await expect(page).to_have_url(re.compile(r"/segments\?search=tea\+drink$"))
    await page.reload()
    await whole(page)
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.locator("tbody").get_by_role("link", name="findable").click()
    await page.wait_for_url("**/segments?tag=findable")
    await page.get_by_role("button", name="Name", exact=True).click()
    await expect(page.locator("tbody tr").first).to_contain_text("find-b")
    await expect(page.locator("th[aria-sort=descending]")).to_contain_text("Name")
    await page.get_by_label("State").select_option("archived")
    await expect(page.locator("#content")).to_contain_text("No segment fits")


async def test_a_marketer_signs_in_builds_a_segment_and_sees_a_member_arrive(
    open_page: OpenPage, shop: Shop
) -> None:
    page = await open_page("/", key=None)
    await sign_in(page, shop.key)
    await whole(page)
    await page.get_by_role("link", name="New segment").first.click()
    await page.get_by_label("Name", exact=True).fill("Bought tea")
    await page.get_by_role("button", name="Did something").click()
    await page.get_by_label("Event", exact=True).fill("tea_bought")
    await page.get_by_role("combobox", name="When", exact=True).select_option("ever")
    await expect(page.locator(".sentence .break")).to_contain_text("Ever bought a tea")
    await page.locator('.preview [data-count="0"][data-exact]').wait_for()
    await page.get_by_role("button", name="Save").click()
    size = page.locator("[data-figure=size]")
    await expect(size).to_have_text("0")
    await expect(page.get_by_role("heading", name="Bought tea")).to_be_visible()
    await expect(page.locator(".page-head .badge").first).to_have_text("Ready")
    await shop.send({"id": "tea1", "profile": "mia", "name": "tea_bought", "time": TIME})
    await expect(size).to_have_text("1")
    await page.get_by_role("link", name="Members").click()
    await expect(page.locator("tbody")).to_contain_text("mia")
    await page.get_by_label("Find a profile").fill("mia")
    await page.get_by_label("Find a profile").press("Enter")
    await expect(page.locator(".card")).to_contain_text("in it")
    await act(page, "Bought tea", "Export members")
    dialog = page.get_by_role("dialog").last
    await for_everybody(page, "dialog")
    async with page.expect_download() as downloading:
        await dialog.get_by_role("button", name="Export", exact=True).click()
    assert b"mia" in (await (await downloading.value).path()).read_bytes()
    await expect(dialog).to_have_count(0)
    await act(page, "Bought tea", "Save as a list")
    await dialog.get_by_label("Name of the list").fill("Tea drinkers of now")
    await dialog.get_by_role("button", name="Save", exact=True).click()
    await page.wait_for_url("**/segments")
    saved = page.locator("tbody tr", has_text="Tea drinkers of now")
    await expect(saved).to_contain_text("Static list")
    await expect(saved.locator(".number")).to_have_text("1")


async def test_actions_ask_first_and_say_what_depends_on_a_segment(open_page: OpenPage, shop: Shop) -> None:
    await make(shop, "base", CITY)
    await make(shop, "upon", {"type": "segment", "id": "base"})
    page = await open_page("/segments?search=Name+of")
    await act(page, "Name of base", "Delete")
    await expect(page.get_by_role("dialog").last).to_contain_text("Name of upon")
    await page.get_by_role("dialog").last.get_by_role("button", name="Close").click()
    await act(page, "Name of upon", "Archive")
    await page.get_by_role("dialog").last.get_by_role("button", name="Archive").click()
    await expect(page.locator("tbody")).not_to_contain_text("Name of upon")
    await act(page, "Name of base", "Clone")
    await page.get_by_label("Name of the copy").fill("Another base")
    await page.get_by_role("dialog").last.get_by_role("button", name="Clone").click()
    await page.wait_for_url("**/segments/seg_*")
    await page.goto(f"{shop.console}/segments?search=Another")
    await whole(page)
    await act(page, "Another base", "Delete")
    dialog = page.get_by_role("dialog").last
    await dialog.get_by_role("button", name="Delete").click()
    await expect(dialog).to_contain_text("That is not its id")
    id_ = await dialog.locator(".hint").inner_text()
    await dialog.get_by_label("Type its id to be sure").fill(id_)
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page.locator("#content")).to_contain_text("No segment fits")


async def test_a_key_that_only_reads_is_offered_nothing_more(open_page: OpenPage, shop: Shop) -> None:
    made = await shop.made_key("read")
    page = await open_page("/segments", key=made.key)
    await expect(page.get_by_role("link", name="New segment")).to_have_count(0)
    await page.locator("tbody").get_by_role("button").first.click()
    menu = page.locator(".actions-list")
    await expect(menu.get_by_role("link", name="Open")).to_be_visible()
    await expect(menu.get_by_text("Delete")).to_have_count(0)
    await expect(menu.get_by_text("Edit")).to_have_count(0)
    await page.goto(f"{shop.console}/segments/new")
    await expect(page.get_by_role("heading", name="Your key does not permit this")).to_be_visible()
    await expect(page.get_by_role("button", name="Save")).to_have_count(0)


async def test_an_admin_looks_at_the_segments_of_all_companies_and_turns_to_one(
    open_page: OpenPage, shop: Shop
) -> None:
    for id_ in ("owned", "also-owned"):
        await make(shop, id_, CITY)
    page = await open_page("/workspaces/segments", key=shop.admin_key, alone=True)
    await page.get_by_label("Search").fill("Name of owned")
    await expect(page.locator("tbody tr")).to_have_count(1)
    company = page.get_by_role("searchbox", name="Company")
    await company.fill("main")
    await page.get_by_role("button", name="Main", exact=True).click()
    await expect(page.locator("#content")).to_contain_text("No segment fits")
    await expect(page).to_have_url(
        re.compile(r"/workspaces/segments\?search=Name\+of\+owned&companies=main$")
    )
    await page.reload()
    await whole(page)
    await page.get_by_role("button", name="Take Main away").click()
    row = page.locator("tbody tr")
    await expect(row).to_have_count(1)
    await shop.send({"id": "lives there", "profile": "owned-1", "time": TIME, "attributes": {"town": "Kyiv"}})
    await expect(row.locator("td.number")).not_to_have_text("0")
    await page.get_by_label("Search").fill("Name of")
    await expect(row.nth(1)).to_be_visible()
    await page.get_by_role("button", name="Name", exact=True).click()
    await expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    await page.get_by_role("button", name="Name", exact=True).click()
    await expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "descending")
    await page.wait_for_url("**/workspaces/segments?search=Name+of&sort=name&order=desc")
    names = await row.locator(".name-cell .break:first-child").all_text_contents()
    assert names == sorted(names, key=str.casefold, reverse=True) and len(names) > 1
    await page.get_by_role("button", name="Open Name of owned").click()
    await page.wait_for_url("**/segments/owned")
    await page.goto(f"{shop.console}/segments")
    await whole(page)
    await page.get_by_role("searchbox", name="Company").fill("main")
    await page.get_by_role("button", name="Main", exact=True).click()
    await expect(page.locator("header .workspace")).to_contain_text("Main")


def test_a_test_of_a_definition_as_it_is_filled_in_and_given_back() -> None:
    kyiv = ZoneInfo("Europe/Kyiv")
    happens = [
        Happens("2026-03-01T09:00", "event", " order ", "total: 12.5, gift: true, city: Kyiv"),
        Happens("2026-03-02T09:00", "attribute", "plan", "pro"),
        Happens(),
    ]
    test = made("an order counts", happens, [Expects("2026-03-31T09:00", False), Expects()], kyiv)
    assert test["events"][0] == {
        "time": "2026-03-01T09:00:00+02:00", "name": "order",
        "properties": {"total": 12.5, "gift": True, "city": "Kyiv"},
    }  # fmt: skip
    assert test["events"][1] == {"time": "2026-03-02T09:00:00+02:00", "attributes": {"plan": "pro"}}
    assert test["expect"] == [{"at": "2026-03-31T09:00:00+03:00", "in": False}]
    again = written(msgspec.convert(test, DefinitionTest))
    assert [each.keys() for each in again["events"]] == [each.keys() for each in test["events"]]
    order, asked = Happens("2026-03-01T09:00", "event", "order"), [Expects("2026-03-01T09:00")]
    for name, rows, expects in (
        ("", [order], asked),
        ("x", [], asked),
        ("x", [order], []),
        ("x", [Happens("2026-03-01T09:00")], asked),
        ("x", [Happens("", "event", "order")], asked),
        ("x", [Happens("2026-03-01T09:00", "event", "order", "total")], asked),
    ):
        with pytest.raises(Wrong, match=r"\.$"):
            made(name, rows, expects, kyiv)


async def test_a_definition_gets_a_test_that_holds_edits(open_page: OpenPage, shop: Shop) -> None:
    await make(shop, "tried", {"type": "event", "name": "kite_bought", "window": {"last": "30d"}})
    page = await open_page("/segments/tried/tests")
    await page.get_by_role("button", name="New test").click()
    dialog = page.get_by_role("dialog").last
    await dialog.get_by_label("Name", exact=True).fill(HOSTILE[0])
    await dialog.get_by_label("When").fill("2026-03-01T09:00")
    await dialog.get_by_label("Its name").fill("kite_bought")
    await dialog.get_by_label("At", exact=True).fill("2026-04-15T09:00")
    await for_everybody(page, "dialog")
    await dialog.get_by_role("button", name="Save the test").click()
    await expect(dialog.get_by_role("alert").last).to_contain_text("the profile is not in the segment")
    await dialog.get_by_label("The profile is").select_option("out")
    await dialog.get_by_role("button", name="Save the test").click()
    row = page.locator("tbody tr")
    await expect(row).to_contain_text("passed")
    await expect(row).to_contain_text(HOSTILE[0])
    async with shop.client() as client:
        segment = await client.send(segments.read("tried"))
        with pytest.raises(Invalid):
            longer = {"type": "event", "name": "kite_bought", "window": {"last": "60d"}}
            await client.send(segments.edit("tried", if_match=segment.version, definition=longer))
    await row.get_by_role("button", name="Take away").click()
    await dialog.get_by_role("button", name="Take it away").click()
    await expect(page.get_by_text("No test yet")).to_be_visible()


async def test_an_admin_makes_a_company_and_edits_it(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page("/workspaces", key=shop.admin_key)
    dialog = page.get_by_role("dialog").last
    await page.get_by_role("button", name="New company").click()
    await dialog.get_by_label("Id").fill("kiosk")
    await dialog.get_by_role("button", name="Make it").click()
    await expect(dialog).to_contain_text("Give it a name.")
    await dialog.get_by_label("Name").fill(HOSTILE[1])
    await dialog.get_by_label("Time zone").fill("Europe/Nowhere")
    await dialog.get_by_role("button", name="Make it").click()
    await expect(dialog.get_by_role("alert").last).to_contain_text("time zone")
    await dialog.get_by_label("Time zone").fill("Europe/Kyiv")
    await for_everybody(page, "dialog")
    await dialog.get_by_role("button", name="Make it").click()
    await page.get_by_role("searchbox", name="Search").fill("kiosk")
    await page.get_by_role("row", name="kiosk").get_by_role("button", name="Edit").click()
    await dialog.get_by_label("Most segments").fill("1,200")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.locator("dialog")).to_have_count(0)
    async with AsyncClient(shop.api, shop.admin_key) as admin:
        kiosk = await admin.send(workspaces.read("kiosk"))
    assert (kiosk.name, kiosk.timezone, kiosk.quotas.segments) == (HOSTILE[1], "Europe/Kyiv", 1_200)


async def test_an_audience_is_counted_as_it_is_put_together_and_frozen(
    open_page: OpenPage, shop: Shop, product: Product
) -> None:
    async with shop.client() as client:
        for id_, people in (("reach", ["aud-b", "aud-c"]), ("reach-less", ["aud-a"])):
            await client.send(segments.create(f"Reach {id_}", type="static", id=id_))
            await client.send(members.add(id_, people))
    await product.json("settle")
    page = await open_page("/segments/reach/members")
    await page.get_by_role("button", name="Put profiles on it").click()
    await page.get_by_role("dialog").last.get_by_role("button", name="Put them on it").click()
    await expect(page.get_by_role("dialog").last).to_contain_text("Give at least one id.")
    await page.get_by_label("Ids of profiles").fill("aud-a\n\n aud-b\naud-a\n")
    await page.get_by_role("dialog").last.get_by_role("button", name="Put them on it").click()
    await expect(page.locator("tbody tr")).to_have_count(3)
    await page.get_by_role("button", name="Take aud-c off").click()
    await page.get_by_role("dialog").last.get_by_role("button", name="Take it off").click()
    await expect(page.locator("tbody tr")).to_have_count(2)
    await act(page, "Reach reach", "Create an audience")
    dialog = page.get_by_role("dialog").last
    says = dialog.get_by_role("status")
    await expect(says).to_contain_text("It reaches 2 profiles.")
    await dialog.get_by_role("searchbox", name="Without the segments").fill("reach-less")
    await dialog.get_by_role("button", name="Reach reach-less").click()
    await expect(says).to_contain_text("It reaches 1 profile.")
    await dialog.get_by_label("Who may be reached by").fill("email")
    await dialog.get_by_label("About the topic").click()
    await expect(says).to_have_text("It reaches nobody.")
    await dialog.get_by_label("Who may be reached by").fill("")
    await dialog.get_by_role("button", name="Freeze").click()
    ready = page.get_by_role("dialog", name="The audience is ready")
    await expect(ready).to_contain_text("1 profile, until")
    await expect(ready.locator("code").last).to_contain_text("livesegments audience members --token")
