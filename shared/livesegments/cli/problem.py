"""The failure of a command, worded for a person: every failure that a command foresees is a `Problem`."""

from __future__ import annotations

from livesegments.core.fault import Fault


class Problem(Exception):
    """What went wrong, for a person: a sentence, the faults found, and what to do about it.

    `status` is the HTTP status, or None where no answer came.
    """

    def __init__(
        self, message: str, *, advice: str = "", faults: tuple[Fault, ...] = (), status: int | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.advice, self.faults, self.status = message, advice, faults, status


MISSING = {
    "segment": "see `livesegments segments list` for the ids that there are",
    "profile": "is the id as it was sent? a first event is applied a moment later (`livesegments settle`)",
    "workspace": "see `livesegments workspaces list` (with an admin key) for the ids that there are",
    "erasure": "`livesegments erase` printed its id, such as 3-1742",
    "job": "see `livesegments mass list` for those of the last day",
    "import": "it may have been removed: import again",
    "export": "it may have been removed: export again",
    "computed attribute": "see `livesegments computed list` for the ids that there are",
    "subscription": "see `livesegments subscriptions list` for the ids that there are",
    "rule": "see `livesegments rules list` for the ids that there are",
    "template": "see `livesegments templates list` for the ids that there are",
    "value list": "see `livesegments value-lists list` for the ids that there are",
    "key": "see `livesegments keys list` (with an admin key) for the ids that there are",
}
"""What to do where something is not there, by what it is."""
