"""What somebody has filled in for a new subscription, as the request that it comes to."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from livesegments.client import subscriptions
from livesegments.client.request import Request
from livesegments.client.subscriptions import Kind, MadeSubscription

EXAMPLE = '{\n  "contact": "$profile",\n  "list": "$segment",\n  "what": "$kind",\n  "since": "$at"\n}'
UNITS = {"1": "seconds", "60": "minutes", "3600": "hours", "86400": "days"}


class Wrong(ValueError):
    """`name`: of the field that is wrong."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class Form(Struct):
    """Texts as they were typed. `template` "" : the receiver pulls."""

    name: str = ""
    segments: list[str] = field(default_factory=list)
    entries: bool = True
    exits: bool = True
    backfill: bool = False
    template: str = "transitions"
    url: str = ""
    mapping: str = EXAMPLE
    dwell: str = ""
    cool_down: str = ""
    batch: str = ""
    within: str = ""

    def request(self) -> Request[MadeSubscription]:
        """Raises Wrong for the first field that can't be; the api says what else is wrong."""
        if not self.name.strip():
            raise Wrong("name", "Give it a name, by which people know it.")
        kinds: list[Kind] = [*(["entered"] if self.entries else []), *(["exited"] if self.exits else [])]  # type: ignore[list-item]
        if not kinds:
            raise Wrong("entries", "It hears nothing: choose entries, exits or both.")
        return subscriptions.create(
            self.name.strip(),
            segments=self.segments,
            kinds=kinds,
            backfill=self.backfill,
            minimum_dwell_s=_whole("dwell", self.dwell, 0),
            cool_down_s=_whole("cool_down", self.cool_down, 0),
            batch={"max": _whole("batch", self.batch, 1), "within_s": _whole("within", self.within, 0)},
            webhook=self._webhook(),
        )

    def _webhook(self) -> dict[str, Any] | None:
        if not self.template:
            return None
        if not self.url.strip():
            raise Wrong("url", "Give the address that messages are posted to.")
        webhook: dict[str, Any] = {"url": self.url.strip(), "template": self.template}
        if self.template == "json":
            try:
                webhook["mapping"] = msgspec.json.decode(self.mapping, type=dict[str, Any])
            except msgspec.MsgspecError as error:
                raise Wrong("mapping", f"That is no JSON object: {error}") from error
        return webhook


def _whole(name: str, text: str, otherwise: int) -> int:
    if not text.strip():
        return otherwise
    if not text.strip().isdecimal():
        raise Wrong(name, "Give a whole number.")
    return int(text)
