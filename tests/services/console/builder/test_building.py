"""The builder in a real browser: by mouse, by keyboard, as JSON, with a reload in the middle, against somebody else's edit."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from livesegments.client import names, segments
from tests.effort import effort
from tests.product import Product
from tests.services.console.conftest import HOSTILE, OpenPage, Shop, whole
from tests.services.console.looks import for_everybody

TIME = "2024-02-12T00:00:00Z"
BOUGHT = {"type": "event", "name": "flower_bought"}
BUYERS, OF_THEM_IN_LVIV = 3, 2


@pytest.fixture(scope="session")
async def flowers(shop: Shop, product: Product) -> Shop:
    """Three buyers, two of whom live in Lviv."""
    people = [("rose", "Lviv"), ("lily", "Lviv"), ("iris", "Kyiv")]
    events: list[dict[str, object]] = []
    for name, town in people:
        events.append({"id": f"f-{name}", "profile": name, "time": TIME, "attributes": {"town": town}})
        events.append({"id": f"b-{name}", "profile": name, "name": "flower_bought", "time": TIME})
    await shop.send(*events)
    await product.json("settle")
    await named(shop, "town")
    return shop


async def named(shop: Shop, *wanted: str) -> None:
    """Waits until the api knows the names, of attributes and of events."""
    async with shop.client() as api:
        known = await api.send(names.read())
        while not {*wanted} <= {each.name for each in known.attributes} | {
            each.name for each in known.events
        }:
            await asyncio.sleep(0.05)
            known = await api.send(names.read())


def row(page: Page, pointer: str) -> Locator:
    return page.locator(f'[data-row="{pointer}"]')


async def add(page: Page, group: str, kind: str) -> None:
    """Opens the choices of a group unless they are open, and takes one."""
    adder = row(page, group).locator("> .adders > details")
    if await adder.get_attribute("open") is None:
        await adder.locator("> summary").click()
    await adder.get_by_role("button", name=kind).click()


async def fill(page: Page, field: str, text: str) -> None:
    await page.get_by_label(field, exact=True).fill(text)


def json_pane(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Definition as JSON")


async def written(page: Page, definition: Any) -> None:
    """Waits until the pane of JSON says it."""
    area = json_pane(page)
    if not await area.is_visible():
        await page.get_by_text("As JSON", exact=True).click()
    text = json.dumps(definition)
    await page.wait_for_function(
        "(wanted) => { try { return JSON.stringify(JSON.parse([...document.querySelectorAll('.json textarea')].at(-1).value))"
        " === JSON.stringify(JSON.parse(wanted)) } catch { return false } }",
        arg=text,
    )


async def focused(page: Page, pointer: str) -> None:
    """Waits until the focus is in a row; no later answer moves it."""
    await page.wait_for_function(
        "(wanted) => document.activeElement?.closest('[data-row]')?.dataset.row === wanted", arg=pointer
    )


async def counted(page: Page, count: int) -> None:
    await page.locator(f'.preview [data-count="{count}"][data-exact]').wait_for()


async def test_what_is_seen_while_the_page_is_open_is_offered(
    open_page: OpenPage, flowers: Shop, product: Product
) -> None:
    page = await open_page("/segments/new")
    await add(page, "", "Has an attribute")
    await page.locator("option[value='town']").first.wait_for(state="attached")
    late = {"profile": "rose", "time": TIME}
    await flowers.send(
        {**late, "id": "tried", "name": "shoe_tried", "properties": {"size": 43}},
        {**late, "id": "late", "attributes": {"shoe_size": 43}},
    )
    await product.json("settle")
    await named(flowers, "shoe_size", "shoe_tried")
    await fill(page, "Attribute", "shoe_size")
    await page.locator("option[value='shoe_size']").first.wait_for(state="attached")
    await page.locator("option[value='43'][label='1 profile']").first.wait_for(state="attached")
    await expect(page.get_by_label("Value is a")).to_have_value("number")
    await expect(page.get_by_label("Attribute", exact=True)).to_be_focused()
    await add(page, "", "Did something")
    await fill(page, "Event", "shoe_tried")
    await page.get_by_role("button", name="Only such events…").click()
    await fill(page, "Property", "size")
    await expect(page.get_by_label("Value is a")).to_have_value("number")
    await page.get_by_label("Value", exact=True).press_sequentially("43")
    size = {"property": "size", "op": "eq", "value": 43}
    await expect(page.locator("[data-row='/of/1'] .phrase")).to_contain_text("43")
    await page.get_by_text("As JSON", exact=True).click()
    await expect(json_pane(page)).to_have_value(re.compile(re.escape(json.dumps(size)[1:-1])))


async def test_a_nested_segment_is_built_by_mouse_saved_and_edited(
    open_page: OpenPage, flowers: Shop
) -> None:
    page = await open_page("/segments/new")
    await fill(page, "Name", "Buyers from Lviv")
    await add(page, "", "Did something")
    await fill(page, "Event", "flower_bought")
    await page.get_by_role("combobox", name="When", exact=True).select_option("ever")
    await counted(page, BUYERS)
    await add(page, "", "Any of a group")
    await add(page, "/of/1", "Has an attribute")
    await fill(page, "Attribute", "town")
    await page.locator("option[label='2 profiles']").first.wait_for(state="attached")
    await fill(page, "Value", "Lviv")
    await add(page, "/of/1", "Has a tag")
    await fill(page, "Tag", "vip")
    await counted(page, OF_THEM_IN_LVIV)
    await expect(row(page, "/of/0").locator(".tally")).to_have_text(str(BUYERS))
    said = "Ever bought a flower, and (town is “Lviv” or has the tag “vip”)."
    await expect(page.locator(".sentence .break")).to_have_text(said)
    await page.get_by_role("button", name="Save").click()
    await page.wait_for_url(lambda url: "/segments/new" not in url)
    id_ = page.url.rsplit("/", 1)[1]
    await page.close()
    town = {"type": "attribute", "name": "town", "op": "eq", "value": "Lviv"}
    definition = {
        "type": "all",
        "of": [BOUGHT, {"type": "any", "of": [town, {"type": "tag", "name": "vip"}]}],
    }
    async with flowers.client() as api:
        made = await api.send(segments.read(id_))
        assert (made.name, made.definition) == ("Buyers from Lviv", definition)

        edit = await open_page(f"/segments/{id_}/edit")
        await row(edit, "/of/1/of/0").locator(".phrase").click()
        await edit.get_by_label("Value", exact=True).focus()
        await edit.evaluate("livesegments.builder.focus('/of/1/of/0')")  # as on a slow connection
        await expect(edit.get_by_label("Value", exact=True)).to_be_focused()
        await fill(edit, "Value", "Kyiv")
        await expect(edit.locator(".flow.good")).to_contain_text("1 would enter")
        await expect(edit.locator(".flow.good")).to_contain_text("iris")
        await expect(edit.locator(".flow.bad")).to_contain_text("2 would leave")
        await expect(edit.locator(".flow.bad").get_by_role("link", name="lily")).to_be_visible()

        await api.send(segments.edit(id_, if_match=made.version, description="by somebody else"))
        await edit.get_by_role("button", name="Save").click()
        await edit.get_by_role("button", name="Keep mine").click()
        await expect(edit.locator(".flow.good")).to_contain_text("1 would enter")
        await edit.locator('.busy[data-asking="false"]').wait_for(state="attached")
        await edit.get_by_role("button", name="Save").click()
        await edit.wait_for_url(lambda url: not url.partition("?")[0].endswith("/edit"))
        now = await api.send(segments.read(id_))
        assert now.definition is not None
        assert now.definition["of"][1]["of"][0]["value"] == "Kyiv"
        assert now.description == "by somebody else"


async def test_rows_are_moved_and_undone_by_keyboard_and_a_reload_loses_nothing(
    open_page: OpenPage, flowers: Shop
) -> None:
    page = await open_page("/segments/new")
    keys = page.keyboard
    await page.get_by_label("Name", exact=True).focus()
    await keys.type("By keyboard")
    await page.get_by_role("button", name="Has a tag").focus()
    await keys.press("Enter")
    await page.get_by_label("Tag", exact=True).wait_for()
    await focused(page, "/of/0")
    await page.get_by_label("Tag", exact=True).focus()
    await keys.type("a")
    first = {"type": "tag", "name": "a"}
    await written(page, {"type": "all", "of": [first]})
    summary = row(page, "").locator("> .adders summary")
    await summary.focus()
    await keys.press("Enter")
    await page.get_by_role("button", name="Any of a group").focus()
    await keys.press("Enter")
    await focused(page, "/of/1")
    inner = row(page, "/of/1").get_by_role("button", name="Is in a segment")
    await inner.focus()
    await keys.press("Enter")
    await focused(page, "/of/1/of/0")
    await page.get_by_label("Segment", exact=True).focus()
    await keys.type("hostile-1")
    second = {"type": "segment", "id": "hostile-1"}
    await written(page, {"type": "all", "of": [first, {"type": "any", "of": [second]}]})

    await row(page, "/of/0").locator(".phrase").focus()
    await keys.press("Alt+ArrowDown")
    await written(page, {"type": "all", "of": [{"type": "any", "of": [second]}, first]})
    await focused(page, "/of/1")
    await keys.press("Alt+ArrowRight")
    whole_ = {"type": "all", "of": [{"type": "any", "of": [second, first]}]}
    await written(page, whole_)
    await page.wait_for_function(
        "document.activeElement?.closest('[data-row]')?.dataset.row === '/of/0/of/1'"
    )
    await keys.press("Delete")
    await written(page, {"type": "all", "of": [{"type": "any", "of": [second]}]})
    await keys.press("Control+z")
    await written(page, whole_)

    await page.reload()
    await whole(page)
    await expect(page.get_by_label("Name", exact=True)).to_have_value("By keyboard")
    await written(page, whole_)
    await page.get_by_role("button", name="Undo").click()
    await written(page, {"type": "all", "of": [{"type": "any", "of": [second]}, first]})
    await page.get_by_role("button", name="Redo").click()
    await written(page, whole_)
    await page.goto(flowers.console + "/segments/new")
    await whole(page)
    await page.get_by_role("link", name="By keyboard").click()
    await written(page, whole_)


async def dragged_by_touch(page: Page, grip: Locator, onto: Locator) -> None:
    """With one finger, to the middle of a row."""
    finger = await page.context.new_cdp_session(page)
    await finger.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    boxes = [await each.bounding_box() for each in (grip, onto)]
    (x, y), (to_x, to_y) = [(box["x"] + 10, box["y"] + box["height"] / 2) for box in boxes if box is not None]
    steps = [("touchStart", x, y), ("touchMove", x + 9, y), ("touchMove", to_x + 80, to_y)]
    for kind, at_x, at_y in steps:
        touch = {"type": kind, "touchPoints": [{"x": at_x, "y": at_y}]}
        await finger.send("Input.dispatchTouchEvent", touch)
    await finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await finger.detach()


async def test_a_row_is_dragged_to_another_place_and_onto_another_row(
    open_page: OpenPage, flowers: Shop
) -> None:
    """On a wide screen, where the same stands as JSON beside it."""
    page = await open_page("/segments/new")
    await page.set_viewport_size({"width": 1700, "height": 900})
    await page.reload()
    tags = [{"type": "tag", "name": name} for name in "abc"]
    await json_pane(page).wait_for()
    boxes = await page.locator(".conditions").bounding_box(), await json_pane(page).bounding_box()
    assert boxes[0] and boxes[1] and boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"]
    await json_pane(page).fill(json.dumps({"type": "all", "of": tags}))
    await row(page, "/of/2").wait_for()
    a, b, c = tags
    grip = row(page, "/of/2").locator(".grip")
    await grip.drag_to(row(page, "/of/0"), target_position={"x": 60, "y": 3})
    await written(page, {"type": "all", "of": [c, a, b]})
    await dragged_by_touch(page, row(page, "/of/2").locator(".grip"), row(page, "/of/1"))
    await written(page, {"type": "all", "of": [c, {"type": "any", "of": [a, b]}]})
    await row(page, "/of/1").get_by_label("Which of the group must hold").select_option("none of these")
    await written(page, {"type": "all", "of": [c, {"type": "not", "of": {"type": "any", "of": [a, b]}}]})


async def test_faults_and_warnings_stand_at_the_condition_that_they_concern(
    open_page: OpenPage, flowers: Shop
) -> None:
    page = await open_page("/segments/new")
    await page.get_by_text("As JSON", exact=True).click()
    never_seen = {"type": "event", "name": "flower_bougth"}
    wrong = {"type": "event", "name": "flower_bought", "window": {"last": "0d"}}
    strange = {"type": "unheard of", "x": [1.0, 1e-7]}
    await json_pane(page).fill(json.dumps({"type": "all", "of": [never_seen, wrong, strange]}))
    await expect(row(page, "/of/1").locator(".note.bad")).to_contain_text("0d")
    await expect(row(page, "/of/2").locator(".note.bad")).to_be_visible()
    await expect(row(page, "/of/0").locator(".note")).to_have_count(0)
    await row(page, "/of/2").locator(".phrase").click()
    await expect(row(page, "/of/2").get_by_role("textbox", name="Condition as JSON")).to_have_value(
        json.dumps(strange)
    )
    await row(page, "/of/2").get_by_role("button", name="Remove").first.click()
    await expect(row(page, "/of/2")).to_have_count(0)
    await row(page, "/of/1").locator(".phrase").click()
    await fill(page, "How long", "3")
    await expect(row(page, "/of/0").locator(".note.warn")).to_contain_text("flower_bought")
    await json_pane(page).fill('{"type": "all", "of": [')
    await expect(page.locator(".builder").get_by_text("Line 1, column")).to_be_visible()
    await expect(row(page, "/of/1")).to_be_visible()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".toast")).to_contain_text("no name yet")


async def test_the_gallery_and_a_segment_for_every_value(open_page: OpenPage, flowers: Shop) -> None:
    page = await open_page("/gallery")
    card = page.locator("article", has=page.get_by_role("heading", name="One-time buyers"))
    await card.get_by_text("What it is called here").click()
    await card.get_by_label("The event of an order").fill("flower_bought")
    await expect(card).to_contain_text("Bought a flower exactly once ever")
    await card.get_by_role("button", name="Take").click()
    await page.wait_for_url("**/segments/new?draft=*")
    await expect(page.get_by_label("Name", exact=True)).to_have_value("One-time buyers")
    await counted(page, BUYERS)

    await page.goto(flowers.console + "/by-attribute?attribute=town")
    await whole(page)
    await expect(page.get_by_role("row", name="Lviv 2 new")).to_be_visible()
    await page.get_by_role("button", name="Make 2 segments").click()
    await expect(page.get_by_text("Every value has its segment.")).to_be_visible()
    async with flowers.client() as api:
        made = await api.send(segments.page(search="town: Lviv"))
    assert [each.name for each in made.segments] == ["town: Lviv"]


EVERY_FORM: list[dict[str, Any]] = [
    {"type": "event", "names": [HOSTILE[0], HOSTILE[1]], "where": [{"property": HOSTILE[0], "item": [
        {"property": HOSTILE[1], "op": "has_any", "value": [HOSTILE[0], 7, True]}]}],
     "window": {"period": "day", "from": -40}, "measure": {"of": "sum", "property": HOSTILE[1]}, "op": "between", "value": [1, 5]},
    {"type": "not", "of": {"type": "attribute", "name": HOSTILE[0], "op": "in", "value": [HOSTILE[0], HOSTILE[1]], "when_missing": True}},
    {"type": "attribute", "name": "born", "op": "anniversary", "value": {"from": 0, "to": 7}},
    {"type": "occurrence", "which": "last", "name": HOSTILE[2], "has": [{"property": "x", "op": "before", "value": "2024-01-01"}],
     "window": {"from": "2024-01-01", "to": "2024-02-01T10:00"}},
    {"type": "sequence", "steps": [{"name": HOSTILE[0]}, {"name": "b"}, {"name": "c", "absent": True}], "within": "2d",
     "window": {"last": "30d", "skip": "7d"}, "same": HOSTILE[1]},
    {"type": "segment", "id": "hostile-1"},
    {"type": "tag"},
    {"type": "consent", "topic": HOSTILE[0], "state": "none"},
    {"type": "near", "attribute": HOSTILE[0], "lat": 50, "lon": 30, "km": 5},
    {"type": "bucket", "salt": HOSTILE[0], "from": 0, "to": 10.5},
    {"type": HOSTILE[0], "of": HOSTILE[1]},
]  # fmt: skip


async def test_every_form_is_harmless_and_for_everybody(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page("/segments/new")
    await page.get_by_text("As JSON", exact=True).click()
    await json_pane(page).fill(json.dumps({"type": "any", "of": EVERY_FORM}))
    for index in range(len(EVERY_FORM)):
        place = row(page, f"/of/{index}")
        await place.locator(".phrase").click()
        await place.locator(".body").wait_for()
        if index % effort(3, 1) == 0:
            await for_everybody(page, f'[data-row="/of/{index}"]')  # the whole page would hold the browser up
    assert await page.evaluate("window.hacked") is None
    await expect(page.locator("#app img[src=x], #app b, #app script")).to_have_count(0)
    await written(page, {"type": "any", "of": EVERY_FORM})
