"""The relations of `numbered`, as those name them who translate conditions: that needs no database."""

from __future__ import annotations

BRIEF, PEOPLE = "brief", "people"
WIDE = 'name, t, id, properties, "commit", place'
"""The columns of `wide` beside the profile."""


def of_few(among: str) -> str:
    """All events of the profiles in the relation `among`, as an expression behind FROM."""
    return (
        f"(SELECT own.profile, {WIDE} FROM (SELECT profile AS person, {WIDE} FROM wide) JOIN"
        f" (SELECT profile, id AS person FROM people SEMI JOIN {among} USING (profile)) own USING (person))"
    )
