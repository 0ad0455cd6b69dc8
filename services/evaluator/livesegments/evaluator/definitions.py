"""The catalogue as an evaluator sees it: records of topic `definitions` in, plans out. Pure."""

from __future__ import annotations

from livesegments.core import plan
from livesegments.core.plan import Limits, Plan
from livesegments.wire import catalog
from livesegments.wire.catalog import Segment, Workspace


class Definitions:
    """`revision` is the offset of the newest record taken in; `compile` brings `plans` up to it."""

    def __init__(self, limits: Limits) -> None:
        self.revision = -1
        self.plans: dict[str, Plan] = {}
        self._limits = limits
        self._workspaces: dict[str, Workspace] = {}
        self._segments: dict[str, dict[str, plan.Segment]] = {}
        self._changed: dict[str, int] = {}

    def take(self, key: str, value: bytes | None, offset: int) -> None:
        """One record; an empty value deletes."""
        self.revision = offset
        kind, workspace, *rest = key.split("/", 2)
        if kind == "key":
            return
        self._changed[workspace] = offset
        entry = catalog.decode(value) if value else None
        match kind, entry:
            case "workspace", Workspace():
                self._workspaces[workspace] = entry
            case "workspace", None:
                self._workspaces.pop(workspace, None)
            case "segment", Segment():
                self._put(entry, offset)
            case "segment", None:
                self._segments.get(workspace, {}).pop(rest[0], None)
            case _:
                raise ValueError(f"definitions: unknown key {key!r}")

    def compile(self) -> None:
        """New plans for the workspaces that changed since the last time."""
        changed, self._changed = self._changed, {}
        for id_, revision in changed.items():
            workspace = self._workspaces.get(id_)
            if workspace is None:
                self.plans.pop(id_, None)
                continue
            segments = self._segments.get(id_, {}).values()
            self.plans[id_] = plan.compile(
                id_, workspace.timezone, segments, revision, self._limits, self.plans.get(id_)
            )

    def _put(self, entry: Segment, offset: int) -> None:
        """A new name is not a new definition: `revision` stays that of the definition."""
        segments = self._segments.setdefault(entry.workspace, {})
        old = segments.get(entry.id)
        if old is None or old.version != entry.definition_version:
            segments[entry.id] = plan.Segment(entry.id, entry.definition_version, offset, entry.definition)
