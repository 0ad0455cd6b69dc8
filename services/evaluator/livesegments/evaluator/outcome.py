"""What a step of a partition comes to."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from livesegments.core.bounds import Refusal
from livesegments.core.event import Event, Transition
from livesegments.evaluator.aside import Aside
from livesegments.store.commit import Commit


class Outcome(Struct):
    """A commit to send and what to tell when it is applied."""

    commit: Commit
    transitions: list[Transition]
    events: int = 0
    duplicates: int = 0
    unknown_workspace: int = 0
    """Events of workspaces that are not in the catalogue."""
    refused: Sequence[tuple[Event, Refusal]] = ()
    """Events that would have brought their profile beyond a bound, in order; nothing of them is applied."""
    aside: list[Aside] = []
    """What could not be evaluated; to be published before the commit is sent."""
    state_bytes: int = 0
    """The length of the first state in it."""
