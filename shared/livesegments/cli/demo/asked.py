"""What the product is asked when a log is through, each answer beside the analyst's.

Why is somebody in a segment, how many will leave and enter one by the clock alone, and who was in every
segment at a past instant?

Example: of the music shop, why a VIP is one and when the clock ends that; how many customers at risk there
will be; and who was in each of the 11 segments at Christmas 1997, months before the log's end.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from livesegments.cli.demo.log import Log
from livesegments.cli.demo.proof import Analyst, Comparison, Reason, compare
from livesegments.cli.demo.workspace import Workspace

AHEAD = {"24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}


class Explained(Struct, frozen=True):
    """`said` is the product's answer, `reason` the analyst's."""

    said: Any
    reason: Reason | None

    @property
    def faults(self) -> list[str]:
        """The faults, in words; empty where all is right."""
        if self.reason is None or self.said is None:
            return ["there is no member to explain"]
        found = [] if self.said["in"] and self.said["judged"] else ["it says that the profile is no member"]
        nodes = dict(_nodes(self.said["why"]))
        for pointer, amount in self.reason.amounts.items():
            evidence = nodes[pointer]["evidence"]
            enough = evidence["or_more"] and evidence["value"] <= amount
            if not enough and abs(evidence["value"] - amount) > 1e-9 * amount:
                found.append(f"{pointer or 'the condition'} is {evidence['value']}, recomputed {amount}")
            if not nodes[pointer]["holds"]:
                found.append(f"{pointer or 'the condition'} is said not to hold")
        flips_at = self.said["flips_at"]
        if flips_at is None or datetime.fromisoformat(flips_at) != self.reason.flips_at:
            found.append(f"the clock ends it at {flips_at}, recomputed {self.reason.flips_at.isoformat()}")
        return found


class Ahead(Struct, frozen=True):
    """Within a time: how many leave and enter by the forecast, and by the analyst."""

    within: str
    leave: int
    enter: int
    recomputed_leave: int
    recomputed_enter: int

    @property
    def equal(self) -> bool:
        return (self.leave, self.enter) == (self.recomputed_leave, self.recomputed_enter)


class Asked(Struct, frozen=True):
    """All answers of one log. `then`: every segment as of `past`; nothing was announced by asking."""

    explained: Explained
    foreseen: list[Ahead]
    then: list[Comparison]

    @property
    def equal(self) -> bool:
        return (
            not self.explained.faults
            and all(each.equal for each in self.foreseen)
            and any(each.leave + each.enter for each in self.foreseen)
            and all(each.equal for each in self.then)
            and any(each.members for each in self.then)
        )


def ask(log: Log, workspace: Workspace, analyst: Analyst, instant: datetime) -> Asked:
    """Blocks. `instant` is the log's end, at which all clocks stand."""
    reason = analyst.explained(instant)
    said = workspace.explanation(log.explained, reason.profile) if reason is not None else None
    then = []
    for segment in log.segments:
        members = workspace.members_then(segment, log.past)
        then.append(compare(segment, members, members, analyst.members(segment, log.past)))
    return Asked(Explained(said, reason), _foreseen(log, workspace, analyst, instant), then)


def _foreseen(log: Log, workspace: Workspace, analyst: Analyst, instant: datetime) -> list[Ahead]:
    """The segment is one that nobody both enters and leaves by the clock within 30 days."""
    now, found = analyst.members(log.foreseen, instant), []
    for each in workspace.forecast(log.foreseen)["ahead"]:
        later = analyst.members(log.foreseen, instant + AHEAD[each["within"]])
        found.append(Ahead(each["within"], each["leave"], each["enter"], len(now - later), len(later - now)))
    return found


def _nodes(node: Any) -> list[tuple[str, Any]]:
    return [(node["pointer"], node), *(pair for child in node["of"] for pair in _nodes(child))]
