"""What audits and recounts share: a claim's parts, and how its profiles are counted anew by their history."""

from __future__ import annotations

from livesegments.core.plan import Plan
from livesegments.core.recount import Recounts
from livesegments.evaluator.history.parts import Parts


class Anew:
    """Profiles of a claim whose history is read in a task of its own, and counted between two records."""

    def __init__(self, parts: Parts) -> None:
        self._history = parts.ports.history
        self._partition = parts.partition
        self._loader = parts.loader
        self._walks = parts.walks
        self._archiver = parts.archiver
        self._errands = parts.errands
        self._following = parts.following
        self._wall_ms = parts.wall_ms
        self._moved = parts.moved
        self._recounts: dict[str, Recounts] = {}

    def _for(self, plan: Plan) -> Recounts:
        """Of the plan; those of the workspace's plan before it are dropped."""
        found = self._recounts.get(plan.workspace)
        if found is None or found.plan is not plan:
            found = self._recounts[plan.workspace] = Recounts(plan)
        return found

    def _pass(self) -> None:
        """Moves the partition's clock to now, where it is the wall clock."""
        now_ms = self._wall_ms()
        if now_ms is not None:
            self._partition.pass_to(now_ms)
