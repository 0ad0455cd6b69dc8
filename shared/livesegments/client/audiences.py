"""Whom a send reaches: segments with and without others, consent, shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from livesegments.client.members import MemberFields
from livesegments.client.request import Pages, Request, post
from livesegments.core.fault import Fault


class Split(Struct, kw_only=True, frozen=True):
    """All parts together are the audience."""

    parts: list[Part]
    """In the order of their numbers."""
    count: int
    """Of all parts together."""


class Part(Struct, kw_only=True, frozen=True):
    """One part: an audience like any other, and stable: who is in the audience is always in the same
    part."""

    audience: dict[str, Any]
    """As a request has it."""
    count: int
    """How many profiles are in this part."""


class Advice(Struct, kw_only=True, frozen=True):
    """How a send of this size is best made, by the thresholds of the installation's settings."""

    size: str
    """`split`: more than one large send."""
    parts: int
    """In how many parts; 1 unless `size` is `split`."""


class AudienceCount(Struct, kw_only=True, frozen=True):
    """Of now: while members come and go, of not quite one instant."""

    count: int
    """How many profiles are in it."""
    advice: Advice
    """How a send of this size is best made."""
    warnings: list[Fault]
    """Segments that are still built (`building`)."""


class AudiencePage(Struct, kw_only=True, frozen=True):
    """A page of an audience. It may have fewer members than `limit`, even none: `next_cursor` says whether
    there are more."""

    members: list[str]
    """Ids of profiles."""
    fields: list[MemberFields] = []
    """One for every member of the page, in the same order; absent without `fields`."""
    next_cursor: str | None
    """Give it back as `cursor` for the next page; null: this is the last one."""
    warnings: list[Fault]
    """Segments and computed attributes that are still built (`building`)."""


@post("/v1/audiences/count")
def count(audience: Any) -> Request[AudienceCount]:
    """How many it reaches, and what a campaign of that size is advised."""
    ...


@post("/v1/audiences/members", items="members")
def page(
    audience: Any, *, fields: Sequence[str] = (), limit: int = 1_000, cursor: str | UnsetType = UNSET
) -> Pages[AudiencePage, str]:
    """Whom it reaches, with values."""
    ...


@post("/v1/audiences/split")
def split(audience: Any, *, parts: int | None = None, salt: str = "") -> Request[Split]:
    """Parts that are stable, and share nobody."""
    ...
