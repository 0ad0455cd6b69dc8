"""A change of a profile that was read: accepted, accepted without its odd parts, or refused."""

from __future__ import annotations

from typing import Any

import msgspec

from livesegments.core.event import PROFILE
from livesegments.core.fault import Faults
from livesegments.ingest.receipt import Receipt, Verdict, finish, reject
from livesegments.ingest.traits import BESIDE, Change

PARTS = ("attributes", *BESIDE, "traits", "context")
"""The fields of an item that are its change."""

_encode = msgspec.json.Encoder().encode


def finish_change(
    faults: Faults, receipt: Receipt, profile: str | None, id_: str | None, time_ms: int | None,
    change: Change, item: dict[str, Any], raw: bytes, at: str,
) -> Verdict:  # fmt: skip
    """`at` is the pointer of the item's attributes. A change of which nothing is left is refused as a whole.

    What is left out goes to `rejected` by itself: the item with nothing but the odd parts of its change.
    """
    too_many = change.bounded(at)
    if too_many is not None:
        faults.found.append(too_many)
    if change.faults and (faults.found or not change.properties):
        faults.found += change.faults
    if faults.found or not change.faults:
        return finish(faults, receipt, profile, id_, PROFILE, time_ms, change.properties, raw)
    kept = {field: value for field, value in item.items() if field not in PARTS}
    odd = {"traits": change.odd} if at == "/traits" else change.odd
    # what JSON can't hold was read of numbers beyond all bounds: then the whole item says what came
    beyond = any(fault.code == "out_of_range" for fault in change.faults)
    left_out = reject(receipt, change.faults, raw if beyond else _encode({**kept, **odd}), partial=True)
    return finish(faults, receipt, profile, id_, PROFILE, time_ms, change.properties, raw, left_out)
