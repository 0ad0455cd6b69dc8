"""Cursors: opaque to the client, and checked when they come back."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TypeVar

import msgspec

from livesegments.api.problems import Fault, Problem

T = TypeVar("T")


def encode(place: object) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def decode(text: str, kind: type[T]) -> T:
    """Raises Problem 422 for anything that `encode` has not made."""
    try:
        data = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise foreign() from error


def foreign() -> Problem:
    fault = Fault(
        pointer="query: cursor", code="cursor", message="not a cursor of this list, sorted like this"
    )
    return Problem(422, "1 fault(s) in the request.", [fault])
