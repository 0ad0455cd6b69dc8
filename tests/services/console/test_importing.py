"""The pages of imports, of the audit log and of health: what they make of answers, and a file from the browser to a segment."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from playwright.async_api import expect

from livesegments.client.audit import AuditEntry
from livesegments.client.imports import ImportColumn
from livesegments.client.operations import Course, Lag
from livesegments.console.pages.audit.listing import written
from livesegments.console.pages.audit.rows import row
from livesegments.console.pages.health.lag import backlog, course, summary
from livesegments.console.pages.imports.listing import MOST_BYTES, Coming
from livesegments.console.pages.imports.plan import Goes, at_first, moved, plan, whereto
from tests.services.console.conftest import OpenPage, Shop

AT = datetime(2026, 11, 27, 22, 5, 9, tzinfo=UTC)


def piece(data: bytes, at: int, size: int, name: str = "a.csv") -> dict[str, object]:
    return {"name": name, "size": size, "at": at, "data": base64.b64encode(data).decode()}


def test_a_file_comes_in_pieces_and_no_other_thing_is_taken_for_one() -> None:
    coming = Coming()
    assert coming.take(piece(b"id,", 0, 5)) is None
    assert coming.take(piece(b"a\n", 3, 5)) == "a.csv" and coming.data == b"id,a\n"
    for wrong in (
        None,
        piece(b"x", 7, 9),
        piece(b"", 0, 0),
        piece(b"x", 0, MOST_BYTES + 1),
        piece(b"xyz", 0, 2),
        {**piece(b"x", 0, 1), "data": "?"},
        {**piece(b"x", 0, 1), "at": "0"},
    ):
        with pytest.raises(ValueError, match=r"."):
            coming.take(wrong)


def test_columns_go_where_their_names_say_until_somebody_chooses() -> None:
    def column(name: str, type_: str = "text", declared: str | None = None) -> ImportColumn:
        return ImportColumn(name=name, samples=[], type=type_, declared=declared)

    assert whereto(column("User_ID")).to == "id" and whereto(column("Mail")).to == "email"
    assert whereto(column("Labels")).to == "tags" and whereto(column("")).to == "skip"
    assert whereto(column("age", "number", "text")) == Goes("attribute", "age", "text")
    first = at_first([column("mail"), column("id"), column("user_id")])
    assert [each.to for each in first] == ["attribute", "id", "attribute"]
    assert [each.to for each in at_first([column("mail"), column("email")])] == ["email", "attribute"]
    assert moved(["id", "attribute", "skip"], 1, "email") == ["attribute", "email", "skip"]
    assert moved(["id", "attribute"], 1, "tags") == ["id", "tags"]
    made = plan(
        [
            ("Mail", Goes("email")),
            ("Age", Goes("attribute", "", "number")),
            ("x", Goes("skip")),
            ("News", Goes("consent", "email/news")),
        ],
        True,
    )
    assert made == {
        "id_column": "Mail",
        "by_email": True,
        "columns": [
            {"column": "Age", "attribute": "Age", "type": "number"},
            {"column": "News", "to": "consent", "channel": "email", "topic": "news"},
        ],
        "empty": "remove",
    }
    for ids in ([], [("a", Goes("id")), ("b", Goes("email"))]):
        with pytest.raises(ValueError, match="One column has to be the id"):
            plan(ids, False)


def test_an_entry_of_the_audit_log_in_words() -> None:
    entry = msgspec.convert(
        {
            "id": "1", "at": AT, "action": "rotate_secret", "kind": "value_list", "target": "t", "name": None, "by": None,
            "key": None, "request": None, "before": None, "after": {"version": 1, "digest": "d"}, "note": None,
            "profiles": [],
        },
        AuditEntry,
    )  # fmt: skip
    it = row(entry, ZoneInfo("UTC"))
    assert (it.by, it.action, it.name, it.target) == (
        "the services themselves",
        "rotate secret",
        "value list",
        "value list t",
    )
    assert it.versions == "– → 1"
    assert (written("action", " Rotate secret "), written("by", "Ann B"), written("kind", " ")) == (
        "rotate_secret",
        "Ann B",
        None,
    )


def test_health_in_a_sentence() -> None:
    part = {
        "partition": 0,
        "end": 9,
        "applied": 4,
        "outbox": 0,
        "handing": 0,
        "due": 1,
        "recounts": 0,
        "revision": 0,
        "clock": None,
    }
    lag = msgspec.convert({"partitions": [part], "inbound": 2, "revision": 0}, Lag)
    assert summary(lag) == "7 records of events to apply, 1 due time late."
    calm = msgspec.convert({"partitions": [{**part, "end": 4, "due": 0}], "inbound": 0, "revision": 0}, Lag)
    assert backlog(lag) == (1, 7)
    assert summary(calm) == "All that came is applied, and nothing is late."


def test_the_last_hour_ends_now_and_shows_where_nobody_looked() -> None:
    point = {"records": 3, "due": 1_200, "outbox": 0, "recounts": 0, "inbound": 1}
    hour = {"to": "2026-11-27T20:00:07Z", "step_s": 15, "points": [{**point, "at": "2026-11-27T19:59:30Z"}]}
    labels, (late, waiting) = course(msgspec.convert(hour, Course), ZoneInfo("Europe/Kyiv"))
    assert (labels[0], labels[-3:]) == ("21:00:15", ["21:59:30", "21:59:45", "22:00:00"])
    assert len(labels) == len(late.values) == 240
    assert (late.values[-4:], waiting.values[-3]) == ([None, 1_200, None, None], 4)
    assert course(msgspec.convert({**hour, "points": []}, Course), ZoneInfo("UTC")) == ([], [])


async def test_a_file_from_the_browser_goes_into_a_segment(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page("/imports")
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": b"id,age\nbea,42\nbo,old\n"}
    await page.set_input_files("input[type=file]", file)  # type: ignore[arg-type]
    await page.wait_for_url("**/imports/*")
    boxes = page.get_by_role("group", name="Where the columns go")
    attributes, away = (boxes.locator(f"[data-goes={to}]") for to in ("attribute", "skip"))
    await boxes.locator("[data-column]", has_text="age").drag_to(away)
    await expect(page.get_by_label("Goes to, of age")).to_have_value("skip")
    chip = boxes.locator("[data-column]", has_text="age")
    await chip.focus()
    for to in ("id", "email", "attribute"):
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_label("Goes to, of age")).to_have_value(to)
        await expect(chip).to_be_focused()
    await expect(attributes.locator("[data-column] .break")).to_have_text(["id", "age"])
    await page.get_by_label("Goes to, of id").select_option("id")
    await expect(attributes.locator("[data-column] .break")).to_have_text(["age"])
    await page.get_by_label("Type, of age").select_option("number")
    await page.get_by_role("button", name="Look first").click()
    await page.get_by_text("1 of 2 rows would be taken, 1 refused.").wait_for()
    await page.get_by_label("Put them into a new segment").fill("From the browser")
    await page.get_by_role("button", name="Import", exact=True).click()
    await page.get_by_text("1 of 2 rows taken, 1 refused.").wait_for()
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Refused rows as CSV").click()
    path = await (await downloading.value).path()
    assert b"must be a number" in path.read_bytes()
    await page.goto(f"{shop.console}/audit?kind=import")
    await page.get_by_text("people.csv").first.wait_for()


async def test_a_key_is_made_shown_once_and_revoked(open_page: OpenPage, shop: Shop) -> None:
    page = await open_page(f"/workspaces/{shop.workspace}/keys", key=shop.admin_key)
    await page.get_by_role("button", name="New key").click()
    await page.get_by_label("Name").fill("campaigns")
    await page.get_by_role("button", name="Make the key").click()
    secret = await page.get_by_label("The key", exact=True).text_content()
    await page.get_by_role("button", name="I have copied it").click()
    revoke = page.get_by_role("button", name="Revoke campaigns")
    await revoke.click()
    assert secret is not None and secret.startswith("ls_") and secret not in await page.content()
    await page.get_by_role("button", name="Revoke", exact=True).click()
    await revoke.wait_for(state="detached")
