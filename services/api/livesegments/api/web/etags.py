"""Versions as ETags: `If-Match` for edits, `If-None-Match` for reads."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Header

from livesegments.api.web.problems import Problem

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=200,
        pattern="^[ -~]*$",
        description='The version that was read, as its ETag: `"3"`.',
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=2_000,
        pattern="^[ -~]*$",
        description='The version that is known already, as its ETag: `"3"`.',
    ),
]
ETAG = {
    "ETag": {"description": "The version, for `If-Match`.", "schema": {"type": "string"}, "required": True}
}
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "It has the version of `If-None-Match` still.", "headers": ETAG}
}
WITH_ETAG: dict[int | str, dict[str, Any]] = {200: {"headers": ETAG}}
_ETAG = re.compile(r'(W/)?"([^"]*)"')


def etag(version: int, state: str = "") -> str:
    """`state`: what else is shown, which no edit names: `"3-9f3c21aa"` is version 3 for `If-Match`."""
    return f'"{version}-{state}"' if state else f'"{version}"'


def is_known(version: int, none_match: str | None, state: str = "") -> bool:
    """`If-None-Match`: weak comparison."""
    if none_match is None:
        return False
    tags = {f'"{tag}"' for _, tag in _ETAG.findall(none_match)}
    return none_match.strip() == "*" or etag(version, state) in tags


def check_match(version: int, match: str | None, needed: bool = True) -> None:
    """`If-Match`: strong comparison, so a weak tag never matches. Raises Problem 428 or 412."""
    if match is None:
        if needed:
            raise Problem(428, "Give the version that you have read: `If-Match: ETAG`.")
        return
    tags = [tag.partition("-")[0] for weak, tag in _ETAG.findall(match) if not weak]
    if match.strip() != "*" and str(version) not in tags:
        raise Problem(412, f"It has changed since: it is at version {version} now.")
