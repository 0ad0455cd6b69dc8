"""The relations of `numbered`, as those name them who translate conditions: that needs no database."""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct

from livesegments.history.sql.text import text

GROUPED, PEOPLE = "grouped", "people"
WIDE = 'name, t, id, properties, "commit", place'
"""The columns of `wide` beside the profile."""


class Lane(Struct, frozen=True):
    """What every profile did of one name, as lists: of instants, or of structs of an instant and `items`.

    Example: of "the sum of `total`" an item is the number that an order says. Nothing here depends on the
    instant of a question, so lanes can be kept.

    where   which events, as an expression over the columns of `happened`
    looked  columns more for `items`: (name, expression)
    items   (name, expression)
    """

    name: str
    where: str = "TRUE"
    looked: tuple[tuple[str, str], ...] = ()
    items: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> bool:
        """Whether properties are not read."""
        return self.where == "TRUE" and not self.items

    @property
    def has_variables(self) -> bool:
        """Whether it compares with a large list of values (`large`), which a connection has to have."""
        return "getvariable" in self.where

    @property
    def column(self) -> str:
        """In SQL names differ by more than the case of their letters."""
        return f"lane{sha256(repr(self).encode()).hexdigest()[:24]}"

    def rows(self, relation: str) -> str:
        """The query of (profile, t, items) over events of all names, or of its own."""
        looked, items = (
            "".join(f", {what} AS {name}" for name, what in each) for each in (self.looked, self.items)
        )
        found = f"SELECT *{looked} FROM {relation} WHERE name = {text(self.name)} AND ({self.where})"
        return f"SELECT profile, t{items} FROM ({found})"

    def lists(self, relation: str) -> str:
        """The query of (profile, `column`), of those alone who did any of it."""
        fields = "".join(f", {name} := {name}" for name, _ in self.items)
        item = f"struct_pack(t := t{fields})" if self.items else "t"
        return f"SELECT profile, list({item}) AS {self.column} FROM ({self.rows(relation)}) GROUP BY profile"


def of_few(among: str) -> str:
    """All events of the profiles in the relation `among`, as an expression behind FROM."""
    return (
        f"(SELECT own.profile, {WIDE} FROM (SELECT profile AS person, {WIDE} FROM wide) JOIN"
        f" (SELECT profile, id AS person FROM people SEMI JOIN {among} USING (profile)) own USING (person))"
    )
