"""What audits and recounts share: a claim's parts, and how its profiles are counted anew by their history."""

from __future__ import annotations

from livesegments.core.plan import Plan
from livesegments.core.recount import Recounts
from livesegments.evaluator.history.parts import OfClaim, Parts


class Anew(OfClaim):
    """Counts profiles anew by their history."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._following = parts.following
        self._recounts: dict[str, Recounts] = {}

    def _for(self, plan: Plan) -> Recounts:
        """Of the plan; those of the workspace's plan before it are dropped."""
        found = self._recounts.get(plan.workspace)
        if found is None or found.plan is not plan:
            found = self._recounts[plan.workspace] = Recounts(plan)
        return found
