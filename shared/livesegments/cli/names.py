"""`livesegments names`: the events and attributes that were seen, for people who write definitions."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.text import Text

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import names as seen

SHOWN = 6
"""Values in a table; `--json` has all that are kept."""


@verb()
def names(
    call: Call,
    search: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="Only events and attributes with this in their name.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Also the events that we make ourselves.")
    ] = False,
) -> None:
    """Events with their properties, and attributes: types, frequent values, and when they were last seen."""
    found = call.client.ask(seen.read(search=search or None))
    if call.printed(found):
        return
    local = call.zone
    events = [event for event in found["events"] if everything or not event["derived"]]
    if not events and not found["attributes"]:
        fits = f"no event and no attribute that was seen has '{search}' in its name"
        output.say(fits if search else "nothing was seen yet: `livesegments send FILE.ndjson` sends events")
        return
    if events:
        rows = [row for event in events for row in _event(event, local)]
        output.table("events", ("event", "property", *_columns(local)), rows)
    if events and found["attributes"]:
        output.console.print()
    if found["attributes"]:
        rows = [(each["name"], *_seen(each, local)) for each in found["attributes"]]
        output.table("attributes", ("attribute", *_columns(local)), rows)
    incomplete = [event["name"] for event in events if not event["complete"]]
    if incomplete or not found["attributes_complete"]:
        of = [*incomplete, *([] if found["attributes_complete"] else ["the profiles"])]
        output.say(f"more was seen than is kept of {', '.join(of)}")


def _columns(local: ZoneInfo) -> tuple[str, str, str]:
    return "types", f"last seen ({local})", "frequent values"


def _event(event: dict[str, Any], local: ZoneInfo) -> list[tuple[Any, ...]]:
    """The event's own row, and one for each property."""
    seen = "made by livesegments" if event["derived"] else output.instant(event["last_seen"], local)
    own = (Text(event["name"], "bold"), "", "", seen, "")
    return [own, *(("", each["name"], *_seen(each, local)) for each in event["properties"])]


def _seen(path: dict[str, Any], local: ZoneInfo) -> tuple[Any, ...]:
    """Strings as JSON has them: `"7"` is not `7`."""
    values = [msgspec.json.encode(value).decode() for value in path["values"]]
    more = ", …" if len(values) > SHOWN else ""
    seen = "" if path["last_seen"] is None else output.instant(path["last_seen"], local)
    return ", ".join(path["types"]), seen, Text(", ".join(values[:SHOWN]) + more, "dim")
