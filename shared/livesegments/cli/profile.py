"""`livesegments profile ID`: one profile's attributes and so on, and the segments that it is in."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import profiles


@verb()
def profile(
    call: Call,
    id: Annotated[str, typer.Argument(metavar="ID", help="The profile's id.")],
) -> None:
    """A profile's attributes, tags, consent, computed attributes and segments."""
    found = call.client.ask(profiles.read(id))
    if call.printed(found):
        return
    local = call.zone
    known = [(name, found["attributes"][name]) for name in sorted(found["attributes"])]
    if found["tags"]:
        known.append(("tags", found["tags"]))
    known += [(f"consent {subject(item)}", item["state"]) for item in found["consent"]]
    if known:
        output.table(f"profile {id}", ("attribute", "value"), known)
        output.console.print()
    computed = found.get("computed", {})
    if computed:
        rows = [
            (id_, each["value"], output.instant(each["changes_at"], local)) for id_, each in computed.items()
        ]
        columns = ("computed", "value", f"changes by the clock ({local})")
        output.table("" if known else f"profile {id}", columns, rows)
        output.console.print()
    if not found["segments"]:
        output.say(f"{id} is in no segment: `livesegments explain SEGMENT {id}` says why it is not in one")
        return
    output.table(
        "" if known else f"profile {id}",
        ("segment", "name", f"entered ({local})", f"valid until ({local})"),
        [
            (
                item["id"],
                item["name"],
                output.instant(item["entered_at"], local),
                output.instant(item["valid_until"], local),
            )
            for item in found["segments"]
        ],
    )


def subject(consent: dict[str, Any]) -> str:
    """`email news`: its channel and topic."""
    return " ".join(consent[part] for part in ("channel", "topic") if consent[part])
