"""The relations `taken` and `standing`: what was taken back, and what happened and was not.

Example: an order was sent, and a `$retract` of it. `happened` has both, `taken` has the order's id,
and `standing` has the `$retract` alone. Where nothing was taken back, both are views, so ids needn't be read.
"""

from __future__ import annotations

from collections.abc import Collection

from livesegments.history.sql.relations import GROUPED
from livesegments.history.sql.text import taken_back

VIEWS = (
    "CREATE OR REPLACE TEMP VIEW taken AS SELECT profile, id FROM happened WHERE FALSE",
    "CREATE OR REPLACE TEMP VIEW standing AS SELECT * FROM happened",
)
"""The statements that make them where nothing was taken back."""


def standing(retracted: bool) -> list[str]:
    """The relations `taken`, and `standing`: what happened and was not taken back."""
    if not retracted:
        return []  # but views: a relation of the query would be kept whole, ids and properties too
    left = "SELECT * FROM happened ANTI JOIN taken USING (profile, id)"
    return [f"taken AS MATERIALIZED ({taken_back('happened')})", f"standing AS NOT MATERIALIZED ({left})"]


def picked(few: Collection[int]) -> list[str]:
    """The relations of before, of few profiles, in place of themselves."""
    if not few:
        return []
    theirs = f"profile IN ({', '.join(map(str, few))})"
    return [
        f"{each} AS NOT MATERIALIZED (SELECT * FROM {each} WHERE {theirs})"
        for each in ("happened", "standing", GROUPED)
    ]
