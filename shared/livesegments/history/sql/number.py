"""Numbers without rounding in SQL: every number is the decimal that its shortest form writes.

Comparing, example: `x >= 9007199254740993`. JSON has whole numbers, which are compared as such, and doubles.
Which doubles write a decimal of at least that much? All from one certain double on, 9007199254740994.0, so
the double is compared with this one. Both bounds are worked out before the query runs.

Adding: numbers with at most 17 digits before the point and 9 after it are added as DECIMAL, which is exact. A
profile that has any other number has all of its numbers added as BIGNUM, with all the digits that a double
can have after the point.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from math import inf, nextafter
from typing import Any

from livesegments.history.sql.text import every

SCALE = 9
"""Digits after the point of numbers that are added as DECIMAL."""
NARROW = f"DECIMAL(27, {SCALE})"
_WIDE_SCALE = 345
_GREATEST = "1.7976931348623157e308"
_MOST = 10**28
"""Beyond every sum of DECIMALs and every whole number that JSON can hold here."""

MACROS = [
    # what DECIMAL(27, 9) holds exactly, judged by how the number is written
    "CREATE OR REPLACE MACRO ls_narrow(s) AS NOT contains(s, 'e') AND"
    " CASE strpos(s, '.') WHEN 0 THEN strlen(s) <= 18"
    f" ELSE strpos(s, '.') <= 18 AND strlen(s) - strpos(s, '.') <= {SCALE} END",
    "CREATE OR REPLACE MACRO ls_wide(s) AS list_transform("
    r"[regexp_extract(s, '^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$', ['s', 'i', 'f', 'e'])],"
    " lambda p: CAST(p.s || p.i || p.f || repeat('0',"
    f" {_WIDE_SCALE} + coalesce(try_cast(p.e AS INT), 0) - CAST(strlen(p.f) AS INT)) AS BIGNUM))[1]",
    # a wide sum as JSON: a whole number of 64 bits, or else the nearest double, at most the greatest
    "CREATE OR REPLACE MACRO ls_told(b) AS list_transform([CAST(b AS VARCHAR)], lambda s: CASE"
    f" WHEN s = '0' THEN '0'"
    f" WHEN right(s, {_WIDE_SCALE}) = repeat('0', {_WIDE_SCALE})"
    f" AND try_cast(left(s, -{_WIDE_SCALE}) AS BIGINT) IS NOT NULL THEN left(s, -{_WIDE_SCALE})"
    f" ELSE CAST(to_json(least(greatest(CAST(s || 'e-{_WIDE_SCALE}' AS DOUBLE),"
    f" CAST('-{_GREATEST}' AS DOUBLE)), CAST('{_GREATEST}' AS DOUBLE))) AS VARCHAR)"
    " END)[1]",
]


def decimal(value: Any) -> Decimal:
    return Decimal(repr(value))


def is_narrow(value: Any) -> bool:
    """Whether DECIMAL(27, 9) holds it exactly."""
    number = decimal(value)
    return abs(number) < 10**15 and number == round(number, SCALE)


def narrow(value: Any) -> str:
    return f"CAST('{decimal(value):f}' AS {NARROW})"


def wide(value: Any) -> str:
    with localcontext(prec=2_000):
        return f"CAST('{int(decimal(value).scaleb(_WIDE_SCALE))}' AS BIGNUM)"


def compares(op: str, value: Any, at_least: Any) -> str:
    """A thing compared with a number, or two.

    `at_least(number, above)` says whether the thing is at least that number, or above it.
    """
    match op:
        case "gte":
            return str(at_least(value, False))
        case "gt":
            return str(at_least(value, True))
        case "lt":
            return f"NOT ({at_least(value, False)})"
        case "lte":
            return f"NOT ({at_least(value, True)})"
        case "eq":
            return every([at_least(value, False), f"NOT ({at_least(value, True)})"])
        case "neq":
            return f"NOT ({compares('eq', value, at_least)})"
    return every([at_least(value[0], False), f"NOT ({at_least(value[1], True)})"])


def whole(expression: str, op: str, value: Any, scale: int = 0) -> str:
    """`expression op value`, where the expression has at most `scale` digits after the point."""

    def at_least(number: Any, above: bool) -> str:
        with localcontext(prec=2_000):
            scaled = decimal(number).scaleb(scale)
            bound = int(scaled.to_integral_value(ROUND_FLOOR if above else ROUND_CEILING)) + above
            bound = min(max(bound, -_MOST), _MOST)
            literal = f"{Decimal(bound).scaleb(-scale):f}"
        return f"{expression} >= CAST('{literal}' AS DECIMAL(38, {scale}))"

    return compares(op, value, at_least)


def double(expression: str, op: str, value: Any) -> str:
    """`expression op value` of a DOUBLE, which stands for the decimal of its shortest form."""

    def at_least(number: Any, above: bool) -> str:
        bound = _first(decimal(number), above)
        return f"{expression} >= CAST('{bound!r}' AS DOUBLE)"

    return compares(op, value, at_least)


def _first(bound: Decimal, above: bool) -> float:
    """The least double whose shortest form is at least (above: more than) `bound`."""

    def reaches(number: float) -> bool:
        written = Decimal(repr(number))
        return written > bound if above else written >= bound

    number = float(bound)
    while reaches(number):
        number = nextafter(number, -inf)
    while not reaches(number):
        number = nextafter(number, inf)
    return number


def of_json(value: str, op: str, bound: Any) -> str:
    """A JSON number compared with a number; NULL where it is none."""
    return (
        f"CASE json_type({value}) WHEN 'DOUBLE' THEN {double(f'CAST({value} AS DOUBLE)', op, bound)}"
        f" WHEN 'NULL' THEN NULL WHEN 'UBIGINT' THEN {whole(f'CAST({value} AS HUGEINT)', op, bound)}"
        f" WHEN 'BIGINT' THEN {whole(f'CAST({value} AS HUGEINT)', op, bound)} ELSE NULL END"
    )


def written(value: str) -> str:
    """The text of a JSON number; NULL where it is none."""
    return f"CASE WHEN json_type({value}) IN ('DOUBLE', 'UBIGINT', 'BIGINT') THEN {value}->>'$' END"
