"""Cursors: opaque to the client, and checked when they come back."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, TypeVar

import msgspec
from fastapi import Query

from livesegments.api.web.problems import Problem
from livesegments.core.fault import Fault

MAX_LENGTH = 8_000
"""More than any that we make: of an id of 256 characters of four bytes, or a folded name of 200."""

Cursor = Annotated[
    str | None,
    Query(
        alias="cursor",
        max_length=MAX_LENGTH,
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]*$"},
        description="`next_cursor` of the page before; the first page has none.",
    ),
]
T = TypeVar("T")


def encode(place: object) -> str:
    return urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")


def decode(text: str, kind: type[T]) -> T:
    """Raises Problem 422 for anything that `encode` has not made."""
    try:
        data = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise foreign() from error


def foreign() -> Problem:
    fault = Fault(
        pointer="query: cursor", code="cursor", message="not a cursor of this list, sorted like this"
    )
    return Problem(422, "1 fault(s) in the request.", [fault])
