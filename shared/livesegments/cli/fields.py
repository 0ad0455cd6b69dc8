"""`livesegments fields …`: declare, list, show and delete the types of attributes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from livesegments.cli import output
from livesegments.cli.verb import Call, verb
from livesegments.client import fields

app = typer.Typer(help="Declare, list, show and delete the types of attributes.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The attribute's name.")]
TypeArgument = Annotated[
    str, typer.Argument(metavar="TYPE", help="`text`, `number`, `boolean`, `date`, `list` or `point`.")
]
ChoiceOption = Annotated[
    list[str] | None, typer.Option("--choice", help="One of the only values it may have; again for the next.")
]
FormatOption = Annotated[
    str, typer.Option("--format", help="How dates are written beside ISO 8601: `DD/MM/YYYY`.")
]
ZoneOption = Annotated[str, typer.Option("--timezone", help="The zone of dates that name no offset.")]


@app.command("declare")
@verb()
def declare(
    call: Call,
    name: NameArgument,
    type_: TypeArgument,
    label: Annotated[str, typer.Option(help="Its name for people.")] = "",
    description: Annotated[str, typer.Option(help="What it says.")] = "",
    choice: ChoiceOption = None,
    format_: FormatOption = "",
    timezone: ZoneOption = "",
    accept_misfits: Annotated[
        bool, typer.Option("--accept-misfits", help="Though some profiles have values that do not fit.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count the values that would not fit.")
    ] = False,
) -> None:
    """Declare an attribute: values that come in from then on are read as its type, `"42"` as 42.

    It is refused while profiles have values that would not fit; these stay with --accept-misfits.
    """
    body: dict[str, Any] = {
        "type": type_,
        "label": label,
        "description": description,
        "choices": [_typed(type_, each) for each in choice or []],
        "format": format_,
        "timezone": timezone,
    }
    if dry_run:
        _fit(call, call.client.ask(fields.check(name, **body)))
        return
    found = call.client.ask(fields.declare(name, **body, accept_misfits=accept_misfits))
    if not call.printed(found):
        output.say(f"{found['name']} is a {found['type']} (version {found['version']})")
        _unfit(found["unfit_segments"])


@app.command("list")
@verb()
def list_(call: Call) -> None:
    """Every declared attribute with its type."""
    found = call.client.ask(fields.read_all())["fields"]
    if not call.tabled(found, "no fields yet: `livesegments fields declare NAME TYPE` makes one"):
        return
    local = call.zone
    rows = [
        (
            each["name"],
            each["type"],
            each["label"],
            each["format"] or ", ".join(map(str, each["choices"][:5])),
            output.instant(each["updated_at"], local),
        )
        for each in found
    ]
    output.table("", ("name", "type", "label", "format or choices", f"updated ({local})"), rows)


@app.command("show")
@verb(json=False)
def show(call: Call, name: NameArgument) -> None:
    """A declared attribute as JSON."""
    output.json(call.client.ask(fields.read(name)))


@app.command("delete")
@verb(json=False)
def delete(call: Call, name: NameArgument) -> None:
    """Delete a declaration: values that come in keep the type that they have."""
    call.client.ask(fields.delete(name))
    output.say(f"deleted the declaration of {name}")


def _typed(type_: str, choice: str) -> str | int | float:
    """A choice as the api takes it; it says what is wrong with a number that is none."""
    if type_ != "number":
        return choice
    try:
        return float(choice) if set(".eE") & set(choice) else int(choice)
    except ValueError:
        return choice


def _fit(call: Call, found: dict[str, Any]) -> None:
    if call.printed(found):
        return
    output.say(
        f"{found['fit']:,} profiles have a fitting value, {found['readable']:,} one that would be read as "
        f"another, {found['misfits']:,} one that would be refused"
    )
    for each in found["sample"]:
        output.say(f"  {each['value']!r} ({each['profiles']:,}): {each['told']}")
    _unfit(found["unfit_segments"])


def _unfit(segments: list[str]) -> None:
    if segments:
        more = f" and {len(segments) - 10:,} more" if len(segments) > 10 else ""
        output.say(f"conditions of these segments do not fit: {', '.join(segments[:10])}{more}")
