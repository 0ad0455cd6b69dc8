"""What tests of `accept` ask, and what of a verdict they look at."""

import json
from typing import Any

import msgspec

from livesegments.core.event import Event, ProfileChange
from livesegments.core.fault import Fault
from livesegments.ingest import accept
from livesegments.ingest.log_time import LogTime
from livesegments.ingest.receipt import (
    Accepted,
    Receipt,
)  # fmt: skip
from livesegments.wire.rejected import Rejected

NOW = 1_700_000_000_000
RECEIPT = Receipt("shop", NOW, "http", "given")
LOG = Receipt("shop", NOW, "http", "given", LogTime(10**15))


def event_of(verdict: object) -> Event:
    assert isinstance(verdict, Accepted), verdict
    event = msgspec.msgpack.decode(verdict.data, type=Event)
    assert (verdict.workspace, verdict.profile) == (
        event.workspace,
        event.profile,
    ) and event.workspace == "shop"
    return event


def call(kind: str, receipt: Receipt = RECEIPT, **fields: Any) -> Event:
    return event_of(accept.call(kind, json.dumps({"userId": "u"} | fields).encode(), receipt))


def faults(verdict: object) -> list[tuple[str, str]]:
    assert isinstance(verdict, Rejected), verdict
    return [(fault.pointer, fault.code) for fault in verdict.faults]


def call_of(kind: str, **item: Any) -> object:
    return accept.call(kind, json.dumps(item).encode(), RECEIPT)


def own(receipt: Receipt = RECEIPT, **item: Any) -> object:
    found = accept.events(json.dumps({"profile": "u"} | item).encode(), receipt)
    assert not isinstance(found, Fault)
    return [*found.accepted, *found.rejected][0]


def change(verdict: Event) -> ProfileChange:
    assert verdict.name == "$profile"
    return msgspec.convert(verdict.properties, ProfileChange)
