"""`livesegments clock T`: moves every partition's clock on (mode `log`), and waits until that is done."""

from __future__ import annotations

from typing import Annotated

import typer

from livesegments.cli import context, output, settle
from livesegments.cli.client import Client


def clock(
    to: Annotated[str, typer.Argument(metavar="T", help="ISO 8601 instant, or milliseconds UTC.")],
    api: context.ApiOption = None,
    key: context.KeyOption = None,
    data: context.DataOption = context.DATA,
    timeout: settle.TimeoutOption = settle.TIMEOUT_S,
    as_json: context.JsonOption = False,
) -> None:
    """Move every partition's clock to T, let everything due by then fire, and settle.

    In clock mode `log`. It never goes back, and all workspaces share it: the key needs the scope `operate`.
    """
    target = context.api(api, key, None, data)
    with Client(target.url, target.key) as client:
        client.call("POST", "/v1/clock", json={"to": int(to) if to.lstrip("-").isdigit() else to})
        lag = settle.wait(client, timeout)
    if as_json:
        output.json(lag)
    else:
        first = min(part.clock or "" for part in lag.partitions)
        output.console.print(f"every partition's clock stands at {output.instant(first)} or later")
