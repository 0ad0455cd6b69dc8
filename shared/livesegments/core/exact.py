"""Sums and averages without rounding: a number is the decimal that its shortest form writes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from math import copysign, isfinite, isinf
from typing import Any, TypeAlias

Exact: TypeAlias = int | Decimal

# A float's digits lie between 10^308 and 10^-324, so every sum of a bounded list fits; if one ever
# didn't, Inexact would raise rather than round.
_CONTEXT = Context(prec=2_000, Emax=999_999, Emin=-999_999, traps=[Inexact])
INT64 = 1 << 63
MAX_DOUBLE = sys.float_info.max
"""The greatest finite double, 1.7976931348623157e308."""
_UINT64 = 1 << 64
_SAFE = 1 << 53  # from here on, the shortest form may write another whole number than the float's own


def exact(number: Any) -> Exact:
    """A number as given or as stored: int stays, a float is its shortest form, a string a stored decimal."""
    if type(number) is int:
        return number if -INT64 <= number < INT64 else Decimal(number)
    if type(number) is float:
        if not number.is_integer():
            return Decimal(repr(number))
        return exact(int(number) if abs(number) < _SAFE else int(Decimal(repr(number))))
    return Decimal(number)


def plain(value: Any) -> Any:
    """A number as it is compared, so that comparing agrees with adding; anything else as it is.

    Python compares a float's binary value: 1.152921504606847e18 is 1152921504606846976 to it, but it is
    written, and added, as 1152921504606847000. Below 2^53 both are the same, and beyond 64 bits no whole
    number comes along with which the float could be compared.
    """
    if type(value) is float and _SAFE <= abs(value) < _UINT64:
        return int(Decimal(repr(value)))
    return value


def add(left: Exact, right: Exact) -> Exact:
    if type(left) is int and type(right) is int:
        both = left + right
        return both if -INT64 <= both < INT64 else Decimal(both)
    return _CONTEXT.add(Decimal(left), Decimal(right))


def subtract(left: Exact, right: Exact) -> Exact:
    return add(left, exact(-right) if type(right) is int else Decimal(right).copy_negate())


def stored(number: Exact) -> Exact | float:
    """The shortest thing that `exact` reads back as the same number."""
    if type(number) is int:
        return number
    near = float(number)
    return near if isfinite(near) and Decimal(repr(near)) == number else number


def in_cents(numbers: Sequence[Any]) -> int | float | None:
    """The sum of numbers with two decimals at most, as `stored` has it; None where others are among them.

    Exact: a decimal of at most 15 digits is the shortest form of the float next to it, so n / 100 is the
    float exactly where the float's shortest form writes n hundredths.
    """
    cents, whole = 0, True
    for number in numbers:
        if type(number) is int:
            cents += number * 100
            continue
        if type(number) is not float or not -_FIFTEEN <= number * 100 <= _FIFTEEN:
            return None
        hundredths = round(number * 100)
        if hundredths / 100 != number:
            return None
        cents += hundredths
        whole = False
    if not -_FIFTEEN <= cents <= _FIFTEEN:
        return None
    return cents // 100 if whole else cents / 100


_FIFTEEN = 10**15 - 1
"""The greatest number of 15 digits."""


def finite(number: Exact | Fraction) -> int | float:
    """As JSON readers take it: whole in 64 bits, or else the nearest finite double."""
    if number == int(number) and -INT64 <= number < INT64:
        return int(number)
    near = float(number)
    return copysign(MAX_DOUBLE, near) if isinf(near) else near


def ratio(total: Exact, count: int) -> Fraction:
    return Fraction(total) / count
