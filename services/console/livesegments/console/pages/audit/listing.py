"""The audit log, the newest first, filtered by what was changed, how, and by whom."""

from __future__ import annotations

from functools import partial

from livesegments.client import audit
from livesegments.client.audit import AuditEntry, AuditPage
from livesegments.client.request import Pages
from livesegments.console import paths
from livesegments.console.pages.audit.rows import row
from livesegments.console.parts.button import button
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import text_field
from livesegments.console.parts.table import table
from livesegments.console.parts.tag import Tag, badge, heading
from livesegments.console.visit import Visit

PAGE = 50
FILTERS = {
    "kind": ("What", "segment, key, export …"),
    "target": ("Its id", ""),
    "action": ("Done", "edit, delete, start …"),
    "by": ("By", "the name or id of a key"),
}


async def build(visit: Visit) -> None:
    asked = {name: visit.query(name)[:200] for name in FILTERS}
    with Tag("div", "", "page-head"):
        heading("Audit log")
    with Tag("form", "", "find", role="search", method="get", action=paths.AUDIT):
        for name, (label, hint) in FILTERS.items():
            text_field(label, asked[name], longest=200, hint=hint, spellcheck="false").control.set(name=name)
        with Tag("button", "", "button", type="submit"):
            Tag("span", "Filter")
    wanted = {name: written(name, value) for name, value in asked.items()}
    first: Pages[AuditPage, AuditEntry] = audit.page(**wanted, limit=PAGE)
    page = await visit.api.send(first)
    if not page.entries:
        empty("Nothing fits", "The audit log has no such entry. It keeps the newest ones.", "search_off")
        return
    with table("Audit log", "When", "By", "Done", "What", "Version", "Note") as body:
        pass
    foot = Tag("div", "", "row")

    def show(found: AuditPage, request: Pages[AuditPage, AuditEntry]) -> None:
        with body:
            for each in found.entries:
                _row(visit, each)
        foot.clear()
        if found.next_cursor:
            with foot:
                button("Older", partial(more, request.after(found.next_cursor)))

    async def more(request: Pages[AuditPage, AuditEntry]) -> None:
        show(await visit.api.send(request), request)

    show(page, first)


def written(name: str, value: str) -> str | None:
    """As entries have it: `add members` stands in the list for `add_members`; pure."""
    value = value.strip()
    if name in ("kind", "action"):
        value = value.casefold().replace(" ", "_")
    return value or None


def _row(visit: Visit, entry: AuditEntry) -> None:
    it = row(entry, visit.zone)
    with Tag("tr"):
        Tag("td", it.when)
        Tag("td", it.by, "break")
        with Tag("td"):
            badge(it.action, "bad" if it.action in ("delete", "revoke") else "")
        with Tag("td", "", "break"):
            Tag("div", it.name)
            Tag("div", it.target, "muted small mono")
        Tag("td", it.versions)
        Tag("td", it.note, "break")
