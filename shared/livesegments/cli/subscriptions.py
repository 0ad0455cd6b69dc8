"""`livesegments subscriptions …`: who hears of transitions, and where they are sent."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import structs

from livesegments.cli import files, output
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import subscriptions as api

app = typer.Typer(help="Create, list, show, edit, pause and delete subscriptions.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The subscription's id.")]


@app.command("create")
@verb()
def create(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    segments: Annotated[
        list[str] | None, typer.Option("--segment", "-s", help="A segment to hear of (repeat it for more).")
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help="`entered` or `exited`; without it both.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where messages are posted; without it the receiver pulls.")
    ] = None,
    template: Annotated[
        str, typer.Option(help="The form of the body: transitions, track, identify, slack or json.")
    ] = "transitions",
    mapping: Annotated[str | None, typer.Option(help="Of the form json: a file with the document.")] = None,
    dwell: Annotated[int, typer.Option(help="Seconds that a stay has to last.")] = 0,
    cool_down: Annotated[int, typer.Option(help="Seconds between two entries of a profile.")] = 0,
    batch: Annotated[int, typer.Option(help="Transitions of a message at most.")] = 1,
    within: Annotated[int, typer.Option(help="Seconds that the first of a message waits at most.")] = 0,
    backfill: Annotated[bool, typer.Option("--backfill", help="Also what comes of history.")] = False,
) -> None:
    """Make a subscription: it hears what is announced from now on. Its secret is printed this once."""
    body: dict[str, Any] = {
        "segments": segments or [],
        "minimum_dwell_s": dwell,
        "cool_down_s": cool_down,
        "batch": {"max": batch, "within_s": within},
        "backfill": backfill,
    }
    body |= {"kinds": kinds} if kinds else {}
    if url is not None:
        body["webhook"] = {"url": url, "template": template}
        body["webhook"] |= {"mapping": files.read(mapping)} if mapping else {}
    made = call.client.ask(api.create(name, **body))
    if call.printed(made):
        return
    output.say(f"created {made['id']}, which hears of {_segments(made)}")
    if made["secret"]:
        output.say(f"keep its secret, with which the receiver checks signatures: {made['secret']}")


@app.command("list")
@verb()
def list_(call: Call) -> None:
    """Every subscription, the oldest first."""
    found = call.client.ask(api.read_all())["subscriptions"]
    none = "no subscriptions yet: `livesegments subscriptions create NAME --url URL` makes one"
    if not call.tabled(found, none):
        return
    local = call.zone
    rows = [
        (
            each["id"],
            each["name"],
            _segments(each),
            each["webhook"]["url"] if each["webhook"] else "pulled",
            each["state"],
            output.instant(each["updated_at"], local),
        )
        for each in found
    ]
    output.table("", ("id", "name", "segments", "target", "state", f"updated ({local})"), rows)


@app.command("show")
@verb(json=False)
def show(call: Call, subscription: IdArgument) -> None:
    """A subscription as JSON."""
    output.json(call.client.ask(api.read(subscription)))


@app.command("edit")
@verb()
def edit(
    call: Call,
    subscription: IdArgument,
    file: Annotated[
        str, typer.Option("--file", "-f", help="JSON with the fields that change; `-` is standard input.")
    ],
) -> None:
    """Change the fields that the file names: {"cool_down_s": 86400}"""
    document = files.read(file)
    if not isinstance(document, dict):
        raise Problem(f"{files.named(file)} is no JSON object", advice='write it as {"cool_down_s": 86400}')
    _edit(call, subscription, document)


@app.command("pause")
@verb()
def pause(call: Call, subscription: IdArgument) -> None:
    """Send nothing for now; nothing is lost."""
    _edit(call, subscription, {"paused": True})


@app.command("resume")
@verb()
def resume(call: Call, subscription: IdArgument) -> None:
    """Go on after a pause, or after the receiver has answered 410."""
    _edit(call, subscription, {"paused": False})


@app.command("rotate")
@verb()
def rotate(call: Call, subscription: IdArgument) -> None:
    """Make a new secret; for a day the one before signs as well."""
    made = call.client.ask(api.rotate_secret(subscription))
    if call.printed(made):
        return
    output.say(f"keep the new secret: {made['secret']}")
    output.say(f"the one before signs until {made['former_valid_until']}")


@app.command("delete")
@verb(json=False)
def delete(call: Call, subscription: IdArgument) -> None:
    """Delete a subscription: nothing more is sent."""
    call.client.ask(api.delete(subscription))
    output.say(f"deleted {subscription}")


@app.command("attempts")
@verb()
def attempts(call: Call, subscription: IdArgument) -> None:
    """The newest attempts to deliver messages."""
    found = call.client.ask(api.attempts(subscription))["attempts"]
    if not call.tabled(found, "no attempts yet"):
        return
    local = call.zone
    rows = [
        (output.instant(each["at"], local), each["id"], each["status"] or each["error"], each["ms"])
        for each in found
    ]
    output.table("", (f"at ({local})", "message", "answer", "ms"), rows, numbers=("ms",))


@app.command("dead-letters")
@verb(json=False)
def dead_letters(call: Call, subscription: IdArgument) -> None:
    """The newest messages that were given up, one JSON document a line."""
    for each in call.client.ask(api.dead_letters(subscription))["dead_letters"]:
        output.json(each)


@app.command("replay")
@verb()
def replay(
    call: Call,
    subscription: IdArgument,
    since: Annotated[str, typer.Option("--from", help="An instant: 2026-01-31T09:00:00Z.")],
    to: Annotated[str, typer.Option("--to", help="An instant, which is not in the range.")],
) -> None:
    """Send again what was announced in a range of time, under the same ids."""
    asked = call.client.ask(api.replay(subscription, since, to))
    if call.printed(asked):
        return
    output.say(f"replay {asked['number']} goes through {asked['records']:,} transitions")


@app.command("pull")
@verb(json=False)
def pull(
    call: Call,
    subscription: IdArgument,
    cursor: Annotated[str | None, typer.Option(help="Where the last pull ended.")] = None,
) -> None:
    """All that is there for a subscription, one JSON document a line; the cursor for the next pull is printed
    on standard error."""
    caught_up = False
    while not caught_up:
        page = call.client.ask(api.pull(subscription, limit=1_000, cursor=cursor))
        for each in page["transitions"]:
            output.json(each)
        cursor, caught_up = page["next_cursor"], page["caught_up"]
    output.errors.print(f"next: --cursor {cursor}", style="dim", soft_wrap=True)


def _edit(call: Call, id_: str, change: dict[str, Any]) -> None:
    """The edit is refused if somebody else edits it in between."""
    version = call.client.ask(api.read(id_))["version"]
    edited = call.client.ask(structs.replace(api.edit(id_, if_match=version), body=change))
    if call.printed(edited):
        return
    output.say(f"{edited['id']} is at version {edited['version']}" + (", paused" if edited["paused"] else ""))


def _segments(found: dict[str, Any]) -> str:
    return ", ".join(found["segments"]) or "every segment"
