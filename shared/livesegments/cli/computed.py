"""`livesegments computed …`: put, list, show and delete computed attributes."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from livesegments.cli import files, output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import computed as api

app = typer.Typer(help="Put, list, show and delete computed attributes.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The computed attribute's id.")]


@app.command("put")
@verb()
def put(
    call: Call,
    computed: IdArgument,
    file: Annotated[str, typer.Option("--file", "-f", help="Its JSON; `-` is standard input.")],
) -> None:
    """Make a computed attribute, or replace it: members of the segments that ask about it enter and leave by
    that.

    The file has `name` or `names`, `where`, `window`, `measure`, and a `description`, if you like:
    {"name": "order", "window": {"last": "90d"}, "measure": {"of": "sum", "property": "total"}}
    """
    document = files.read(file)
    if not isinstance(document, dict):
        raise Problem(
            f"{files.named(file)} is no JSON object", advice='write it as {"name": …, "measure": …}'
        )
    found = call.client.ask(msgspec.structs.replace(api.put_attribute(computed, None), body=document))
    if call.printed(found):
        return
    output.say(
        f"{found['id']} (version {found['version']}) is {found['state']}, asked about by {_users(found)}"
    )


@app.command("list")
@verb()
def list_(call: Call) -> None:
    """Every computed attribute with its state."""
    found = call.client.ask(api.read_all())["computed_attributes"]
    if not call.tabled(found, "no computed attributes yet: `livesegments computed put ID -f FILE` makes one"):
        return
    local = call.zone
    rows = [
        (
            each["id"],
            each["definition"]["measure"].get("of", "count"),
            each["state"],
            len(each["used_by"]),
            output.instant(each["updated_at"], local),
        )
        for each in found
    ]
    columns = ("id", "measure", "state", "segments", f"updated ({local})")
    output.table("", columns, rows, numbers=("segments",))


@app.command("show")
@verb(json=False)
def show(call: Call, computed: IdArgument) -> None:
    """A computed attribute: its definition, its state, and the segments that ask about it, as JSON."""
    output.json(call.client.ask(api.read(computed)))


@app.command("delete")
@verb(json=False)
def delete(call: Call, computed: IdArgument) -> None:
    """Delete a computed attribute; refused while segments ask about it."""
    call.client.ask(api.delete_attribute(computed))
    output.say(f"deleted {computed}")


def _users(found: dict[str, Any]) -> str:
    users = found["used_by"]
    return f"{len(users):,} segment{'' if len(users) == 1 else 's'}"
