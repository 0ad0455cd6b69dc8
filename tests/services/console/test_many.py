"""What is done to many at once, and lists that follow something: what the pages make of answers, and a person's way through them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from aiohttp import web
from playwright.async_api import expect

from livesegments.api.mass.work import KIND, Asked
from livesegments.client import NotFound, profiles, segments
from livesegments.client.mass_jobs import MassJob
from livesegments.client.sources import Source
from livesegments.console.pages.mass_jobs.rows import row
from livesegments.console.pages.segments.actions.changes import Row, Wrong, said, update
from livesegments.console.pages.sources import form, shown
from livesegments.console.pages.sources.form import Form
from livesegments.runtime.clock import wall_ms
from livesegments.store import keys
from livesegments.store.client import connect
from livesegments.store.jobs import Job, JobStore
from tests.product import Product
from tests.services.console.conftest import TIME, OpenPage, Shop
from tests.services.console.test_segments import act

AT = datetime(2026, 11, 27, 22, 5, 9, tzinfo=UTC)
SOURCE = {
    "segment": "s", "connection": "", "table": "", "query": "", "url": "https://x.example/v", "path": "", "format": "csv",
    "column": "", "every_s": 7_200, "most_gone": 0.25, "next_at": AT, "now": None, "last": None,
}  # fmt: skip


@asynccontextmanager
async def files_of(folder: Path) -> AsyncIterator[str]:
    """Serves a folder; the address."""
    application = web.Application()
    application.router.add_static("/", folder)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def test_an_update_is_what_was_typed() -> None:
    rows = [
        Row("city", "text", " Kyiv "), Row("age", "number", "4.5"), Row("vip", "boolean", "Yes"), Row("", "text", "x"),
        Row("sizes", "list", "s, m"), Row("plan", "gone", "left over"),
    ]  # fmt: skip
    given = update(rows, ["win back"], [])
    assert given == {
        "attributes": {"city": "Kyiv", "age": 4.5, "vip": True, "sizes": ["s", "m"], "plan": None},
        "tags": {"add": ["win back"], "remove": []},
    }
    assert said(given)[0] == "city becomes Kyiv" and said(given)[-2:] == [
        "plan is taken away",
        "the tag win back is added",
    ]
    for wrong in (
        [],
        [Row("age", "number", "old")],
        [Row("age", "number", "true")],
        [Row("vip", "boolean", "")],
        [Row("city", "text", "")],
        [Row("a", "text", "b"), Row("a", "gone")],
    ):
        with pytest.raises(Wrong, match=r"\.$"):
            update(wrong, [], [])


def test_a_mass_job_as_a_row() -> None:
    job = MassJob(
        id="1", action="reset_score", state="running", reason=None, done=500, total=1204, audience={"include": ["a", "b"]},
        begun_at=AT, ended_at=None,
    )  # fmt: skip
    it = row(job, {"a": "Lapsed"}, ZoneInfo("UTC"))
    assert (it.action, it.whom, it.done, it.is_open) == ("Reset score", "Lapsed, b", "500 of 1,204", True)
    assert row(msgspec.structs.replace(job, audience=None), {}, ZoneInfo("UTC")).whom == "a list of ids"


def test_a_source_is_what_its_form_says_and_back() -> None:
    it = msgspec.convert(SOURCE, Source)
    filled = form.of(it)
    assert (filled.origin, filled.every, filled.most_gone) == ("url", "7200", "25")
    body = filled.request("s").body
    assert body is not None and {name: value for name, value in body.items() if value} == {
        name: SOURCE[name] for name in ("url", "format", "every_s", "most_gone")
    }
    assert dict(shown.rules(it, ZoneInfo("UTC")))["It is read"] == "every 2 hours"
    for wrong, name in (
        (Form(), "connection"), (Form(connection="crm"), "table"), (Form(connection="crm", table="t"), "column"),
        (Form(origin="url"), "url"), (Form(origin="path", path="p", most_gone="all"), "most_gone"),
    ):  # fmt: skip
        with pytest.raises(form.Wrong) as caught:
            wrong.request("s")
        assert caught.value.name == name


async def test_all_of_a_segment_get_an_attribute_lose_their_score_and_go(
    open_page: OpenPage, shop: Shop
) -> None:
    """Counted, confirmed, and followed until it is done; a key that only looks is offered none of it."""
    async with shop.client() as client:
        await client.send(segments.create("Lapsed", {"type": "tag", "name": "lapsed"}, id="lapsed"))
    for person in ("mass-a", "mass-b"):
        await shop.send({"id": f"tag {person}", "profile": person, "time": TIME, "tags": {"add": ["lapsed"]}})
    page = await open_page("/segments/lapsed")
    await expect(page.locator("[data-figure=size]")).to_have_text("2")
    dialog = page.get_by_role("dialog").last  # the one before it may still be closing

    async def count(action: str) -> None:
        await page.goto(f"{shop.console}/segments/lapsed")
        await act(page, "Lapsed", action)

    await count("Change all profiles in it")
    await dialog.get_by_role("button", name="Count them").click()
    await expect(dialog).to_contain_text("Nothing would change")
    await dialog.get_by_label("Name").fill("plan")
    await dialog.get_by_label("Value").fill("free")
    await dialog.get_by_role("button", name="Count them").click()
    await expect(dialog).to_contain_text("plan becomes free")
    await dialog.get_by_role("button", name="Change", exact=True).click()
    await page.wait_for_url("**/mass-jobs")
    await expect(page.locator("tbody tr").first).to_contain_text("2 of 2")
    await page.goto(f"{shop.console}/profiles/mass-a")
    await expect(page.locator("#content")).to_contain_text("free")
    await count("Reset their score")
    await dialog.get_by_label("Reason").fill("A new season")
    await dialog.get_by_role("button", name="Count them").click()
    await expect(dialog).to_contain_text("A new season")
    await dialog.get_by_role("button", name="Reset the score of").click()
    await page.wait_for_url("**/mass-jobs")
    await count("Delete all profiles in it")
    await dialog.get_by_role("button", name="Count them").click()
    await dialog.get_by_role("button", name="Delete", exact=True).click()
    await expect(dialog).to_contain_text("That is not their number")
    await dialog.get_by_label("Type how many they are").fill("2")
    await dialog.get_by_role("button", name="Delete", exact=True).click()
    await page.wait_for_url("**/mass-jobs")
    await expect(page.locator("tbody tr").first.locator(".badge")).to_have_text("done")
    await page.goto(f"{shop.console}/segments/lapsed")
    await expect(page.locator("[data-figure=size]")).to_have_text("0")
    async with shop.client() as client:
        with pytest.raises(NotFound):
            await client.send(profiles.read("mass-a"))


async def test_a_mass_job_that_is_under_way_is_cancelled(
    open_page: OpenPage, shop: Shop, product: Product
) -> None:
    """Its turn is held, so that no process of the api comes further with it."""
    asked = msgspec.Raw(msgspec.json.encode(Asked("reset_score", profiles=("p",))))
    job = Job(shop.workspace, "held", KIND, asked, 1_204, wall_ms(), done=500, state="running")
    async with connect(product.up["redis"]) as store:
        await store.set(keys.job_turn(shop.workspace, job.id), "a slow process", ex=600)
        assert await JobStore(store).add(job, job.begun_ms)
    page = await open_page("/mass-jobs")
    row = page.get_by_role("row", name="500 of 1,204")
    await row.get_by_role("button", name="Cancel").click()
    dialog = page.get_by_role("dialog").last
    await expect(dialog).to_contain_text("What it has changed so far stays changed.")
    await dialog.get_by_role("button", name="Cancel the job").click()
    await expect(row).to_have_count(0)
    await page.goto(f"{shop.console}/audit?kind=mass_job")
    await expect(page.locator("tbody tr").first).to_contain_text("after 500 of 1204 profiles")


async def test_a_list_is_made_to_follow_a_file_is_run_held_and_let_go(
    open_page: OpenPage, shop: Shop, product: Product, tmp_path: Path
) -> None:
    file = tmp_path / "guests.csv"
    file.write_text("id\nann\nbob\n")
    async with files_of(tmp_path) as address:
        page = await open_page("/sources/new")
        await page.get_by_label("Name", exact=True).fill("Guests")
        await page.get_by_role("combobox", name="From").select_option("url")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#content")).to_contain_text("Give the address.")
        await page.get_by_role("textbox", name="Address").fill(f"{address}/guests.csv")
        await page.get_by_role("combobox", name="Read it").select_option("0")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("button", name="Run now").click()
        last = page.get_by_role("region", name="The last run")
        await expect(last).to_contain_text("done")
        file.write_text("id\n")
        await product.json("settle")
        await page.get_by_role("button", name="Run now").click()
        await page.get_by_role("button", name="Let 2 members go").click()
        await page.get_by_role("button", name="Let them go").click()
        await expect(last).to_contain_text("done")
        await page.get_by_role("button", name="Follow nothing").click()
        await page.get_by_role("dialog").last.get_by_role("button", name="Follow nothing").click()
        await page.wait_for_url("**/sources")
