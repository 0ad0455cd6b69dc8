"""`livesegments audit`: who changed what, and when."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import audit as api

FIRST = 50
PAGE = 1_000


@verb()
def audit(
    call: Call,
    action: Annotated[str | None, typer.Option("--action", help="Only this: edit, delete, start …")] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only targets of this kind: segment, key, export …")
    ] = None,
    target: Annotated[str | None, typer.Option("--target", help="Only what was done to this id.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Only by keys of this name or id.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="T", help="Only from this instant on (ISO 8601).")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="T", help="Only before this instant.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that fits, not only the newest 50.")] = False,
) -> None:
    """What was changed in the workspace, newest first: by which key, from which version to which."""
    request = api.page(
        action=action,
        kind=kind,
        target=target,
        by=by,
        since=since,
        until=until,
        limit=PAGE if everything else FIRST,
    )
    entries = call.client.each(request)
    found = list(entries if everything else islice(entries, FIRST))
    if not call.tabled(found, "the audit log has nothing that fits"):
        return
    local = call.zone
    output.table(
        "audit log",
        (f"time ({local})", "by", "action", "kind", "target", "name", "version", "note"),
        [
            (
                output.instant(each["at"], local),
                each["by"] or "",
                each["action"],
                each["kind"],
                each["target"],
                each["name"] or "",
                _versions(each),
                _note(each),
            )
            for each in found
        ],
    )


def _note(entry: dict[str, Any]) -> str:
    return ": ".join(part for part in (entry["note"], ", ".join(entry["profiles"])) if part)


def _versions(entry: dict[str, Any]) -> str:
    before, after = (
        "–" if form is None else str(form["version"]) for form in (entry["before"], entry["after"])
    )
    return "" if before == after == "–" else f"{before} → {after}"
