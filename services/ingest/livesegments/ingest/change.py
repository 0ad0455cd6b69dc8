"""A change of a profile that was read: accepted, accepted without its odd parts, or refused."""

from __future__ import annotations

from typing import Any

import msgspec

from livesegments.core.event import PROFILE
from livesegments.core.fault import Faults
from livesegments.ingest.receipt import Receipt, Verdict, finish, reject
from livesegments.ingest.traits import Change

_encode = msgspec.json.Encoder().encode


def finish_change(
    faults: Faults, receipt: Receipt, profile: str | None, id_: str | None, time_ms: int | None,
    change: Change, kept: dict[str, Any], raw: bytes, at: str,
) -> Verdict:  # fmt: skip
    """`kept` is the item without its change: with the odd parts, it is what goes to `rejected` by itself.

    `at` is the pointer of its attributes. A change of which nothing is left is refused as a whole.
    """
    too_many = change.bounded(at)
    if too_many is not None:
        faults.found.append(too_many)
    if change.faults and (faults.found or not change.properties):
        faults.found += change.faults
    if faults.found or not change.faults:
        return finish(faults, receipt, profile, id_, PROFILE, time_ms, change.properties, raw)
    odd = change.odd if at == "/attributes" else {at[1:]: change.odd}
    # what JSON can't hold was read of numbers beyond all bounds: then the whole item says what came
    beyond = any(fault.code == "out_of_range" for fault in change.faults)
    left_out = reject(receipt, change.faults, raw if beyond else _encode({**kept, **odd}), partial=True)
    return finish(faults, receipt, profile, id_, PROFILE, time_ms, change.properties, raw, left_out)
