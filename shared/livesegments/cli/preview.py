"""`livesegments preview`: who would be in a segment that isn't saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from livesegments.cli import files, nodes, output
from livesegments.cli.verb import Call, verb
from livesegments.client import planning
from livesegments.core.sentence.nodes import sentence


@verb()
def preview(
    call: Call,
    file: Annotated[
        str,
        typer.Option("--file", "-f", help="JSON of a definition or of a segment; `-` is standard input."),
    ],
    sample: Annotated[int, typer.Option(min=0, max=50, help="The most members to show.")] = 5,
) -> None:
    """How many profiles fulfil a definition now, and each of its nodes; some of them with their values."""
    body = files.read(file)
    definition = body["definition"] if isinstance(body, dict) and "definition" in body else body
    if not call.as_json and output.errors.is_terminal:
        soon = call.client.ask(planning.preview(definition, sample=0, estimate=True))
        if soon["margin"]:
            output.say(f"about {soon['count']:,} ± {soon['margin']:,} of {soon['profiles']:,} profiles …")
    found = call.client.ask(planning.preview(definition, sample=sample))
    if call.printed(found):
        return
    local = call.zone
    output.console.print(sentence(definition), markup=False, soft_wrap=True)
    at = output.named_instant(found["at"], local)
    output.console.print(f"{found['count']:,} of {found['profiles']:,} profiles, {at}")
    output.table(
        "",
        ("holds for", "node", "at"),
        [
            (node["count"], nodes.words(definition, node["pointer"]), node["pointer"])
            for node in found["nodes"]
        ],
        numbers=("holds for",),
    )
    for each in found["lacking"]:
        verdict = "left out" if each["excluded"] else "counted in"
        where = each["pointer"] or "the whole"
        told = f"{each['count']:,} profiles lack {each['attribute']}: {verdict} ({where})"
        output.console.print(told, markup=False, soft_wrap=True)
    for line in _costs(found["cost"]):
        output.console.print(line, markup=False, soft_wrap=True)
    output.warnings(found["warnings"])
    for each in found["sample"]:
        output.console.print(f"\n{each['profile']}", style="bold", markup=False, soft_wrap=True)
        output.table(
            "",
            ("holds", "condition", "value"),
            [
                (seen["holds"], nodes.words(definition, seen["pointer"]), seen["value"])
                for seen in each["conditions"]
            ],
        )


def _costs(cost: dict[str, Any]) -> Iterator[str]:
    facts = f"cost: {cost['new_facts']} new facts" if cost["new_facts"] else "cost: no new fact"
    if cost["new_facts"] and cost["bytes_a_profile"] is not None:
        facts += f", {cost['bytes_a_profile']:g} bytes a profile (measured on {cost['looked_at']:,})"
    yield facts
    for each in cost["shared"]:
        more = f" and {each['count'] - len(each['segments']):,} more" * (
            each["count"] > len(each["segments"])
        )
        yield f"kept already, for {', '.join(each['segments'])}{more} ({each['pointer'] or 'the whole'})"
