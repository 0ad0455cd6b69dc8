"""A log's workspace, made through the api as any customer would: the workspace, its keys, its segments."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from livesegments.cli import paths
from livesegments.cli.client import Client
from livesegments.cli.context import Up
from livesegments.cli.demo.log import Log
from livesegments.cli.members import PAGE
from livesegments.cli.problem import Problem

READY_S = 30.0
LOOK_S = 0.05
THEN_PAGE = 10_000
"""Every page as of an instant is worked out anew: few large ones."""


class Workspace:
    """Blocking calls to the api on behalf of one log's workspace. Close it when done."""

    def __init__(self, log: Log, up: Up) -> None:
        self.log = log
        with Client(up.api, up.admin_key) as admin:
            admin.call(
                "POST", "/v1/workspaces", json={"id": log.id, "name": log.title, "timezone": log.timezone}
            )
        self._client = Client(up.api, up.admin_key, log.id)
        self.write_key = self._key("replay", ["ingest"])

    def _key(self, name: str, scopes: list[str]) -> str:
        path = f"/v1/workspaces/{self.log.id}/keys"
        key: str = self._client.call("POST", path, json={"name": name, "scopes": scopes})["key"]
        return key

    def create_segments(self) -> dict[str, str]:
        """Id → name, of every segment of the log, each ready. Raises Problem."""
        for id, values in self.log.value_lists.items():
            self._client.call("PUT", f"/v1/value-lists/{id}", json={"values": values})
        for id, document in self.log.computed.items():
            self._client.call("PUT", f"/v1/computed-attributes/{id}", json=document)
        names = {}
        for segment in self.log.segments:
            definition = self.log.definition(segment)
            self._client.call("POST", "/v1/segments", json=definition)
            names[segment] = definition["name"]
        self._until_ready()
        return names

    def create(self, segment: str) -> float:
        """Seconds from the request until the segment is ready. Raises Problem."""
        began = time.monotonic()
        self._client.call("POST", "/v1/segments", json=self.log.definition(segment))
        self._until_ready()
        return time.monotonic() - began

    def edit(self, segment: str, definition: Any) -> float:
        """Seconds from the request until the new definition is served. Raises Problem."""
        path = paths.segment(segment)
        etag = self._client.send("GET", path).headers["ETag"]
        began = time.monotonic()
        self._client.call("PATCH", path, json=definition, headers={"If-Match": etag})
        self._until_ready()
        return time.monotonic() - began

    def _until_ready(self) -> None:
        until = time.monotonic() + READY_S
        while waiting := [item["id"] for item in self.listed() if item["state"] != "ready"]:
            if time.monotonic() > until:
                raise Problem(f"not ready after {READY_S:.0f} s: {', '.join(waiting)}")
            time.sleep(LOOK_S)

    def listed(self) -> list[dict[str, str]]:
        return list(self._client.pages("/v1/segments", "segments"))

    def members(self, segment: str) -> set[str]:
        """Over all pages; each member exactly once, or our promise is broken (AssertionError)."""
        return self._listed(segment, f"{paths.segment(segment)}/members", limit=PAGE)

    def members_then(self, segment: str, instant: datetime) -> set[str]:
        """As `members`, as of an instant."""
        path = f"{paths.segment(segment)}/as-of"
        return self._listed(segment, path, limit=THEN_PAGE, at=instant.astimezone(UTC).isoformat())

    def explanation(self, segment: str, profile: str) -> Any:
        return self._client.call("GET", paths.explanation(segment, profile))

    def forecast(self, segment: str) -> Any:
        return self._client.call("GET", f"{paths.segment(segment)}/forecast")

    def _listed(self, segment: str, path: str, **query: Any) -> set[str]:
        listed = list(self._client.pages(path, "members", **query))
        found = set(listed)
        assert len(found) == len(listed), f"{segment}: a member was returned twice"
        return found

    def close(self) -> None:
        self._client.close()
