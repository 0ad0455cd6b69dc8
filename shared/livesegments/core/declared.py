"""Declared attributes: the type by which values that come in are read (`typed`), and whether a condition fits
it (`check_declared`).

Example: `age` is declared a number. A sender's `"42"` is kept as 42, `"old"` is left out and told, and a
condition `age starts_with "4"` is a fault. Values that were kept before the declaration stay as they are, and
so do attributes that nobody declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

FieldType: TypeAlias = Literal["text", "number", "boolean", "date", "list", "point"]
Declarations: TypeAlias = Mapping[str, "Declared"]

MAX_CHOICES = 1_000
MAX_FORM = 40


class Declared(Struct, frozen=True, omit_defaults=True):
    """`choices`: the only texts or numbers that it may have; of a list, its items.

    `form`: how dates are written beside ISO 8601, `DD/MM/YYYY`. `zone`: that of dates with a time of day and
    without an offset; empty: they stay as they are, and every condition reads them in the workspace's.
    """

    type: FieldType
    choices: tuple[str | int | float, ...] = ()
    form: str = ""
    zone: str = ""
