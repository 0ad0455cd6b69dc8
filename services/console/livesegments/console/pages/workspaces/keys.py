"""A company's keys: made with scopes, shown once, and revoked."""

from __future__ import annotations

from functools import partial

from livesegments.client import keys
from livesegments.client.keys import Key, Scope
from livesegments.console import formats, paths
from livesegments.console.parts.button import button, link_button
from livesegments.console.parts.dialog import Dialog
from livesegments.console.parts.empty import empty
from livesegments.console.parts.field import check_field, text_field
from livesegments.console.parts.table import Column, table
from livesegments.console.parts.tag import Tag, badge, heading, paragraph
from livesegments.console.visit import Visit

SCOPES: dict[Scope, str] = {
    "ingest": "sends events",
    "read": "looks at segments, members and profiles",
    "write": "changes definitions, lists and profiles",
    "operate": "moves the clock of all companies, applies refused events again",
}


async def build(visit: Visit) -> None:
    workspace = visit.part("workspace")
    found = (await visit.admin.send(keys.read_all(workspace))).keys
    with Tag("div", "", "page-head"):
        heading(f"Keys of {formats.short(workspace)}")
        button("New key", partial(_make, visit, workspace), "primary", "add")
    if not found:
        empty("No key yet", "Nobody but an admin can look into this company.", "key")
    else:
        with table("Keys", "Name", "Id", "May", "Made", Column("Actions", hidden=True)):
            for each in found:
                with Tag("tr"):
                    Tag("th", formats.short(each.name), "break", scope="row")
                    Tag("td", each.id, "mono")
                    with Tag("td"):
                        for scope in each.scopes:
                            badge(scope)
                    Tag("td", formats.day(each.created_at, visit.zone))
                    with Tag("td", "", "actions"):
                        revoke = partial(_revoke, visit, workspace, each)
                        button("Revoke", revoke, "quiet", label=f"Revoke {formats.short(each.name)}")
    link_button("All companies", paths.WORKSPACES, "quiet")


def _make(visit: Visit, workspace: str) -> None:
    dialog = Dialog(visit, "New key")
    with dialog.body:
        name = text_field("Name", longest=200, hint="Who uses it; the audit log has it.")
        wanted = {scope: check_field(scope, scope == "read", hint=says) for scope, says in SCOPES.items()}

    async def make() -> None:
        scopes = [scope for scope, box in wanted.items() if box.value]
        _show(visit, workspace, await visit.admin.send(keys.create(workspace, name.value.strip(), scopes)))

    dialog.offer("Make the key", make).open()


def _show(visit: Visit, workspace: str, made: keys.MadeKey) -> None:
    dialog = Dialog(visit, f"The key {formats.short(made.name)}")
    with dialog.body:
        paragraph("It is shown this once: only a digest of it is kept. Copy it now.")
        Tag("pre", made.key, "definition raw", tabindex="0", aria_label="The key")
        button("I have copied it", lambda: visit.go(paths.keys(workspace)), "primary")
    dialog.open()


def _revoke(visit: Visit, workspace: str, key: Key) -> None:
    dialog = Dialog(visit, f"Revoke {formats.short(key.name)}?")
    with dialog.body:
        paragraph("From then on it opens nothing, and whoever uses it is refused. It can't be taken back.")

    async def revoke() -> None:
        await visit.admin.send(keys.revoke(workspace, key.id))
        visit.go(paths.keys(workspace))

    dialog.offer("Revoke", revoke, "danger").open()
