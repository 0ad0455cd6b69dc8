"""What was refused, the newest first: with its reason, its raw bytes, and where the fault was ours,
a way to apply it."""

from __future__ import annotations

from functools import partial

from livesegments.client import rejected
from livesegments.client.rejected import Refusal, Refusals
from livesegments.client.request import Pages
from livesegments.console import paths
from livesegments.console.pages.rejected.rows import Row, raw, row
from livesegments.console.parts.button import button
from livesegments.console.parts.dialog import Dialog
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import text_field
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, paragraph
from livesegments.console.visit import Visit

PAGE = 50
MOST_EMPTY = 20
"""A page may be empty though there are more: so many are passed over before somebody is asked."""


async def build(visit: Visit) -> None:
    code = visit.query("code")[:64]
    with Tag("div", "", "page-head"):
        heading("Rejected")
    with Tag("form", "", "find", role="search", method="get", action=paths.REJECTED):
        text_field(
            "Code", code, longest=64, hint="bad_date, say; none: all of them", spellcheck="false"
        ).control.set(name="code")
        with Tag("button", "", "button", type="submit"):
            Tag("span", "Filter")
    place = Tag("div", "", "stack")
    foot = Tag("div", "", "row")
    first: Pages[Refusals, Refusal] = rejected.page(code=code or None, limit=PAGE)
    with (
        place,
        Tag("div", "", "hidden") as shell,
        table("Refused items", "When", "Code", "Why", "What came", Column("What to do", hidden=True)) as body,
    ):
        pass

    async def more(request: Pages[Refusals, Refusal]) -> None:
        found: list[Refusal] = []
        cursor: str | None = ""
        for _ in range(MOST_EMPTY):
            page = await visit.api.send(request)
            found, cursor = page.rejected, page.next_cursor
            if found or not cursor:
                break
            request = request.after(cursor)
        if found:
            shell.classes(replace="")
        with body:
            for each in found:
                _row(visit, row(each, visit.zone))
        foot.clear()
        with foot:
            if cursor:
                button("Older", partial(more, request.after(cursor)))

    await more(first)
    if not body.default_slot.children:
        with place:
            if code:
                empty("Nothing fits", "Nothing that is kept was refused with this code.", "search_off")
            else:
                empty(
                    "Nothing was refused",
                    "Items that can't be taken in stand here with their reason.",
                    "done_all",
                )


def _row(visit: Visit, it: Row) -> None:
    with Tag("tr"):
        Tag("td", it.when)
        with Tag("td"):
            badge(it.code, "warn" if it.partial else "bad")
            if it.partial:
                paragraph("the rest was accepted", "muted small")
        Tag("td", it.reason, "break")
        Tag("td", it.text, "break mono small")
        with Tag("td", "", "actions"):
            button("Raw", partial(_raw, visit, it.id), "quiet", label=f"Raw bytes of {it.id}")
            if it.replayable and visit.may("write"):
                button("Apply again", partial(_replay, visit, it.id), label=f"Apply {it.id} again")


async def _raw(visit: Visit, id_: str) -> None:
    found = await visit.api.send(rejected.read(id_))
    dialog = Dialog(visit, f"As it came: {id_}")
    with dialog.body:
        Tag("pre", raw(found), "definition raw", tabindex="0", aria_label="As it came")
        button("Close", dialog.close)
    dialog.open()


async def _replay(visit: Visit, id_: str) -> None:
    made = await visit.api.send(rejected.replay(id_))
    visit.say(f"{made.event} is published again, and applied within moments.")
