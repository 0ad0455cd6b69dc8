"""The catalogue as an evaluator sees it: records of topic `definitions` in, plans out. No I/O."""

from __future__ import annotations

from contextlib import suppress

import structlog

from livesegments.core import plan
from livesegments.core.computed import PREFIX
from livesegments.core.definition import Node
from livesegments.core.plan import Limits, Plan
from livesegments.core.staging import Staging
from livesegments.evaluator.plans.list_contents import ListContents
from livesegments.runtime import metrics
from livesegments.wire import catalog
from livesegments.wire.catalog import ComputedAttribute, Segment, Workspace

EVALUATED = frozenset({"workspace", "segment", "computed", "value_list", "values"})
"""The kinds of entries that plans are made of: the others may have the same ids, and concern nobody here."""

_log = structlog.get_logger(__name__)


class Definitions:
    """`revision` is the offset of the newest record taken in; `compile` brings `plans` up to it.

    `faults`: workspace → why its newest definitions can't be compiled.
    """

    def __init__(self, limits: Limits) -> None:
        self.revision = -1
        self.plans: dict[str, Plan] = {}
        self.faults: dict[str, str] = {}
        self._limits = limits
        self._workspaces: dict[str, Workspace] = {}
        self._segments: dict[str, dict[str, plan.Segment]] = {}
        self._contents: dict[str, ListContents] = {}
        self._changed: dict[str, int] = {}
        self._failed: dict[str, int] = {}

    @property
    def history_days(self) -> dict[str, int | None]:
        """Workspace → how many days of events it keeps, as it says itself."""
        return {id_: each.history_days for id_, each in self._workspaces.items()}

    def take(self, key: bytes | None, value: bytes | None, offset: int) -> None:
        """One record; an empty value deletes. Raises Unreadable, and has changed no more than `revision`."""
        self.revision = offset
        name, entry = catalog.read(key, value)
        kind, workspace, *rest = name.split("/")
        if kind not in EVALUATED:
            return
        old = self._workspaces.get(workspace)
        if isinstance(entry, Workspace) and old is not None and old.timezone == entry.timezone:
            self._workspaces[workspace] = entry  # its name or its quotas: plans have nothing of them
            return
        if kind in ("value_list", "values"):
            self._contents.setdefault(workspace, ListContents()).take(entry, *rest)
            if workspace in self._failed:  # a definition may have come before the values that it names
                self._changed.setdefault(workspace, self._failed[workspace])
            return
        self._changed[workspace] = offset
        match entry:
            case Workspace():
                self._workspaces[workspace] = entry
            case Segment() if not entry.archived_ms:
                self._put(workspace, entry.id, entry.definition_version, entry.definition, offset)
            case ComputedAttribute():
                self._put(workspace, PREFIX + entry.id, entry.version, entry.definition, offset)
            case _ if rest:
                id_ = PREFIX + rest[0] if kind == "computed" else rest[0]
                self._segments.get(workspace, {}).pop(id_, None)
            case _:
                self._workspaces.pop(workspace, None)

    def again(self) -> None:
        """The definitions that could not be compiled are compiled once more with the next ones."""
        self._changed = self._failed | self._changed

    def compile(self) -> None:
        """New plans for the workspaces that changed since the last time."""
        changed, self._changed = self._changed, {}
        for id_, revision in changed.items():
            workspace = self._workspaces.get(id_)
            self.faults.pop(id_, None)
            self._failed.pop(id_, None)
            if workspace is None:
                self.plans.pop(id_, None)
                continue
            segments = self._segments.get(id_, {}).values()
            try:
                with metrics.PLAN_SECONDS.time():
                    self.plans[id_] = plan.compile(
                        id_,
                        workspace.timezone,
                        segments,
                        revision,
                        self._limits,
                        self.plans.get(id_),
                        contents=self._contents_of(id_).of,
                    )
            except Exception as error:
                self._keep(id_, workspace, revision, error)

    def _contents_of(self, workspace: str) -> ListContents:
        return self._contents.get(workspace) or ListContents()

    def _keep(self, id_: str, workspace: Workspace, revision: int, error: Exception) -> None:
        """A fault of ours: the workspace keeps its last good plan; one that has none gets what compiles.

        (Where a partition knows what it served before a restart, it goes on with that: module `walks`.)
        """
        metrics.PLAN_FAULTS.inc()
        self._failed[id_] = revision
        self.faults[id_] = repr(error)
        _log.error("a plan can't be compiled", workspace=id_, revision=revision, exc_info=error)
        if id_ in self.plans:
            return
        good: list[plan.Segment] = []
        contents = self._contents_of(id_).of
        for segment in self._segments.get(id_, {}).values():
            with suppress(Exception):
                plan.compile(id_, workspace.timezone, [segment], revision, self._limits, contents=contents)
                good.append(segment)
        for segments in (good, []):  # with no plan at all its events would be those of an unknown workspace
            with suppress(Exception):
                self.plans[id_] = plan.compile(
                    id_, workspace.timezone, segments, revision, self._limits, contents=contents
                )
                return

    def compile_staged(self, latest: Plan, staging: Staging, timezone: str) -> Plan:
        """What is served for now, with the facts of what waits; those are in the newest time zone."""
        return plan.compile(
            latest.workspace,
            timezone,
            staging.served.values(),
            latest.revision,
            self._limits,
            latest,
            staging.staged.values(),
            latest.timezone,
            self._contents_of(latest.workspace).nearest,
        )

    def _put(self, workspace: str, id_: str, version: int, definition: Node | None, offset: int) -> None:
        """A new name is not a new definition: `revision` stays that of the definition."""
        segments = self._segments.setdefault(workspace, {})
        old = segments.get(id_)
        if old is None or old.definition_version != version:
            segments[id_] = plan.Segment(id_, version, offset, definition)
