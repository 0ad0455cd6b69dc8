"""A log's workspace, made through the api as any customer would: the workspace, its keys, its segments."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from livesegments.cli.client import Client
from livesegments.cli.context import Up
from livesegments.cli.demo.log import Log
from livesegments.cli.members import PAGE
from livesegments.cli.problem import Problem
from livesegments.client import (
    Pages,
    computed,
    explanations,
    keys,
    members,
    planning,
    segments,
    value_lists,
    workspaces,
)

READY_S = 30.0
LOOK_S = 0.05
THEN_PAGE = 10_000
"""Every page as of an instant is worked out anew: few large ones."""


class Workspace:
    """Blocking calls to the api on behalf of one log's workspace. Close it when done."""

    def __init__(self, log: Log, up: Up) -> None:
        self.log = log
        with Client(up.api, up.admin_key) as admin:
            admin.ask(workspaces.create(log.title, id=log.id, timezone=log.timezone))
        self._client = Client(up.api, up.admin_key, log.id)
        self.write_key = self._key("replay", ["ingest"])

    def _key(self, name: str, scopes: list[keys.Scope]) -> str:
        key: str = self._client.ask(keys.create(self.log.id, name, scopes))["key"]
        return key

    def create_segments(self) -> dict[str, str]:
        """Id → name, of every segment of the log, each ready. Raises Problem."""
        for id, values in self.log.value_lists.items():
            self._client.ask(value_lists.put_list(id, values))
        for id, document in self.log.computed.items():
            self._client.ask(computed.put_attribute(id, **document))
        names = {}
        for segment in self.log.segments:
            definition = self.log.definition(segment)
            self._client.ask(segments.create(**definition))
            names[segment] = definition["name"]
        self._until_ready()
        return names

    def create(self, segment: str) -> float:
        """Seconds from the request until the segment is ready. Raises Problem."""
        began = time.monotonic()
        self._client.ask(segments.create(**self.log.definition(segment)))
        self._until_ready()
        return time.monotonic() - began

    def edit(self, segment: str, definition: Any) -> float:
        """Seconds from the request until the new definition is served. Raises Problem."""
        version = self._client.ask(segments.read(segment))["version"]
        began = time.monotonic()
        self._client.ask(segments.edit(segment, if_match=version, **definition))
        self._until_ready()
        return time.monotonic() - began

    def _until_ready(self) -> None:
        until = time.monotonic() + READY_S
        while waiting := [item["id"] for item in self.listed() if item["state"] != "ready"]:
            if time.monotonic() > until:
                raise Problem(f"not ready after {READY_S:.0f} s: {', '.join(waiting)}")
            time.sleep(LOOK_S)

    def listed(self) -> list[dict[str, str]]:
        return list(self._client.each(segments.page()))

    def members(self, segment: str) -> set[str]:
        """Over all pages; each member exactly once, or our promise is broken (AssertionError)."""
        return self._listed(segment, members.page(segment, limit=PAGE))

    def members_then(self, segment: str, instant: datetime) -> set[str]:
        """As `members`, as of an instant."""
        return self._listed(
            segment, members.then(segment, instant.astimezone(UTC).isoformat(), limit=THEN_PAGE)
        )

    def explanation(self, segment: str, profile: str) -> Any:
        return self._client.ask(explanations.read(segment, profile))

    def forecast(self, segment: str) -> Any:
        return self._client.ask(planning.forecast(segment))

    def _listed(self, segment: str, request: Pages[Any, str]) -> set[str]:
        listed = list(self._client.each(request))
        found = set(listed)
        assert len(found) == len(listed), f"{segment}: a member was returned twice"
        return found

    def close(self) -> None:
        self._client.close()
