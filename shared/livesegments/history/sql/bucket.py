"""A bucket: whether a profile was drawn, by the digest of its id."""

from __future__ import annotations

from decimal import Decimal

from livesegments.core.definition import Bucket
from livesegments.history.sql.text import text


def bucket(node: Bucket, id_: str) -> tuple[str, str]:
    """Whether the profile is in the bucket, and its number in hundredths."""
    low, high = (int(Decimal(repr(percent)) * 100) for percent in (node.from_, node.to))
    digest = f"sha256({text(node.salt)} || chr(0) || {id_})"
    hundredths = f"CAST('0x' || left({digest}, 16) AS UBIGINT) % 10000"
    return f"{hundredths} >= {low} AND {hundredths} < {high}", f"to_json(({hundredths}) / 100)"
