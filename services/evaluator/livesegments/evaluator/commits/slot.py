"""A profile in memory while a commit is made."""

from __future__ import annotations

from livesegments.core.profile import Profile, decode


class Slot:
    """A profile that the commit in the making touches.

    `stored` is its state as it is stored, empty if there is none. `stored_wake_ms` is the due instant that
    is stored for it, `wake_ms` the one that will be.
    """

    __slots__ = ("id", "profile", "stored", "stored_wake_ms", "wake_ms", "workspace")

    def __init__(self, workspace: str, id_: str, state: bytes) -> None:
        self.workspace = workspace
        self.id = id_
        self.stored = state
        if state:
            self.profile: Profile | None = decode(state)
            self.stored_wake_ms = self.wake_ms = self.profile.wake_at
        else:
            self.profile = self.stored_wake_ms = self.wake_ms = None

    @classmethod
    def undecoded(cls, workspace: str, id_: str, state: bytes, wake_ms: int | None) -> Slot:
        """Of a profile that is changed in its stored form (`splice`)."""
        slot = cls.__new__(cls)
        slot.workspace, slot.id, slot.stored, slot.profile = workspace, id_, state, None
        slot.stored_wake_ms = slot.wake_ms = wake_ms
        return slot
