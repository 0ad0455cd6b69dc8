"""`livesegments preview`: who would be in a segment that isn't saved."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import context, files, nodes, output, zone
from livesegments.cli.client import Client


def preview(
    file: Annotated[
        str,
        typer.Option("--file", "-f", help="JSON of a definition or of a segment; `-` is standard input."),
    ],
    sample: Annotated[int, typer.Option(min=0, max=50, help="The most members to show.")] = 5,
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    workspace: context.WorkspaceOption = None,
    data: context.DataOption = context.DATA,
    as_json: context.JsonOption = False,
) -> None:
    """How many profiles fulfil a definition now, and each of its nodes; some of them with their values."""
    body = files.read(file)
    definition = body["definition"] if isinstance(body, dict) and "definition" in body else body
    target = context.api(api, key, workspace, data)
    with Client(target.url, target.key, target.workspace) as client:
        asked = {"definition": definition, "sample": sample}
        found = client.call("POST", "/v1/segments/preview", json=asked)
        if as_json:
            output.json(found)
            return
        local = zone.of(client)
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
