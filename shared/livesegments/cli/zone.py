"""The time zone in which people read a workspace's times: the workspace's own."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from livesegments.cli.client import Client


def of(client: Client) -> ZoneInfo:
    """Of the workspace that the client acts in. Its text is its name, such as `Europe/Berlin`."""
    return ZoneInfo(client.call("GET", "/v1/workspace")["timezone"])
