"""`WORKSPACE NUL PROFILE`, a profile's name among those of all workspaces: built and split here only.

No workspace's id holds a NUL, so the first one ends it.
"""

from __future__ import annotations

from typing import NewType

ANONYMOUS = "anonymous:"
"""The profile id of someone with an anonymousId alone begins with it."""

ProfileKey = NewType("ProfileKey", str)
"""A plain `str` while the program runs, so it costs nothing as a key of a dict or in Redis."""


def profile_key(workspace: str, profile: str) -> ProfileKey:
    return f"{workspace}\0{profile}"  # type: ignore[return-value]  # calling the type costs as much again


def split(key: ProfileKey) -> tuple[str, str]:
    """The ids of the workspace and of the profile."""
    workspace, _, profile = key.partition("\0")
    return workspace, profile
