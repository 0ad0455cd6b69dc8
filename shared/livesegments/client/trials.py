"""The tests of a definition, which are stored with it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from livesegments.client.request import Request, post


class Tested(Struct, kw_only=True, frozen=True):
    """One test, and what came of it."""

    name: str
    """Its name."""
    passed: bool
    """Whether all is as expected."""
    seen: list[Seen]
    """In the order of the test's `expect`."""
    why: str | None
    """Why it could not be carried out; null: it was."""


class Seen(Struct, kw_only=True, frozen=True, rename={"is_in": "in"}):
    """One expectation, and what came of it."""

    at: datetime
    """The instant."""
    expected: bool
    """Whether the profile should be in the segment then."""
    is_in: bool | None
    """Whether it is; null: the test can't be run."""


class Tests(Struct, kw_only=True, frozen=True):
    """All tests of the segment, in their order."""

    passed: bool
    """Whether all tests pass."""
    tests: list[Tested]
    """In their order."""


@post("/v1/segments/{id}/test")
def run(id: str) -> Request[Tests]:
    """What its tests come to under its present definition."""
    ...
