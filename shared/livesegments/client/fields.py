"""Attributes that are declared with a type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from livesegments.client import request
from livesegments.client.request import Request, get, post, put

Type = Literal["text", "number", "boolean", "date", "list", "point"]


class Field(Struct, kw_only=True, frozen=True):
    """A declared attribute."""

    name: str
    """The name of the attribute."""
    type: str
    """By which values that come in are read."""
    label: str
    """Its name for people."""
    description: str
    """What it says."""
    choices: list[str | float]
    """The only values it may have; empty: any."""
    format: str
    """How dates are written, beside ISO 8601."""
    timezone: str
    """The zone of dates that name no offset."""
    version: int
    """Counts every edit."""
    created_at: datetime
    """When it was declared first."""
    updated_at: datetime
    """When it was edited last."""
    unfit_segments: list[str]
    """Segments with conditions that do not fit the type: they are evaluated as before, and refused at their
    next edit. Sorted by id, the first 1,000."""


class Fields(Struct, kw_only=True, frozen=True):
    """All declared attributes of the workspace."""

    fields: list[Field]
    """Sorted by name."""


class Fit(Struct, kw_only=True, frozen=True):
    """How many of the values that profiles have now fit a declaration."""

    at: datetime
    """The instant that it is of."""
    fit: int
    """Profiles whose value is of the type."""
    readable: int
    """Profiles whose value would be read as another one, `42` for a text."""
    misfits: int
    """Profiles whose value would be refused. They stay."""
    sample: list[OddValue]
    """The most frequent misfits, 20 at most."""
    unfit_segments: list[str]
    """Segments with conditions that would not fit, by id."""


class OddValue(Struct, kw_only=True, frozen=True):
    """A value that would not fit."""

    value: Any
    """As profiles have it; a long one is cut, and then a text."""
    told: str
    """What it must be instead."""
    profiles: int
    """How many profiles have it."""


@get("/v1/fields")
def read_all() -> Request[Fields]:
    """All declared attributes."""
    ...


@get("/v1/fields/{name}")
def read(name: str) -> Request[Field]:
    """A declared attribute."""
    ...


@post("/v1/fields/check")
def check(
    name: str,
    type: Type,
    *,
    label: str = "",
    description: str = "",
    choices: Sequence[str | float] = (),
    format: str = "",
    timezone: str = "",
) -> Request[Fit]:
    """How many of the values that profiles have now would fit a declaration. Nothing is declared."""
    ...


@put("/v1/fields/{name}")
def declare(
    name: str,
    type: Type,
    *,
    label: str = "",
    description: str = "",
    choices: Sequence[str | float] = (),
    format: str = "",
    timezone: str = "",
    accept_misfits: bool = False,
) -> Request[Field]:
    """Declares an attribute, or changes its declaration. It is refused with 409 while profiles have values
    that would not fit, unless these are accepted."""
    ...


@request.delete("/v1/fields/{name}")
def delete(name: str) -> Request[None]:
    """Deletes a declaration; values stay."""
    ...
