"""`livesegments profile ID`: what is known of one profile, and where it is a member."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from livesegments.cli import context, output
from livesegments.cli.client import Client


def profile(
    id: Annotated[str, typer.Argument(metavar="ID", help="The profile's id.")],
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """A profile's attributes, tags, consent and segments."""
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        found = client.call("GET", f"/v1/profiles/{quote(id, safe='')}")
    if as_json:
        output.json(found)
        return
    known = [(name, found["attributes"][name]) for name in sorted(found["attributes"])]
    if found["tags"]:
        known.append(("tags", found["tags"]))
    known += [(f"consent {_subject(item)}", item["state"]) for item in found["consent"]]
    if known:
        output.table(f"profile {id}", ("attribute", "value"), known)
        output.console.print()
    if not found["segments"]:
        output.say(f"{id} is in no segment")
        return
    output.table(
        "" if known else f"profile {id}",
        ("segment", "name", "entered", "valid until"),
        [
            (
                item["id"],
                item["name"],
                output.instant(item["entered_at"]),
                output.instant(item["valid_until"]),
            )
            for item in found["segments"]
        ],
    )


def _subject(consent: dict[str, Any]) -> str:
    return " ".join(consent[part] for part in ("channel", "topic") if consent[part])
