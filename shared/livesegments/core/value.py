"""Values and the ops on them: which can be compared, and whether a comparison holds. Nothing is coerced.

A value is a string, number, boolean or a list of them; numbers are equal by value (1 = 1.0; `exact.plain`
says which large ones), but true ≠ 1 ≠ "1". An op can compare values of certain kinds; anything else
(missing, another kind) gives the condition's `when_missing`: true by default for a negative op, false for
all others. So a negative op holds exactly where its positive one does not, unless its author says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from math import asin, cos, radians, sin, sqrt
from typing import Any, Protocol, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from livesegments.core.exact import plain
from livesegments.core.pattern import pattern
from livesegments.core.window import parse_date
from livesegments.core.words import LIST_OPS, ORDER_OPS, POSITIVE, PRESENCE_OPS

Test: TypeAlias = Callable[[Any], bool | None]
"""value → holds or not; None where it cannot be compared."""

EARTH_KM = 6_371.0088


class Comparison(Protocol):
    """The fields that an attribute condition and a `where` filter share."""

    @property
    def op(self) -> str: ...
    @property
    def value(self) -> Any: ...
    @property
    def ignore_case(self) -> bool: ...
    @property
    def when_missing(self) -> bool | UnsetType: ...


def when_missing(comparison: Comparison) -> bool:
    """The answer where the value can't be compared."""
    given = comparison.when_missing
    return comparison.op in POSITIVE if given is UNSET else bool(given)


class Flag(Struct, frozen=True):
    """A boolean as a hash key, so that true never meets 1."""

    on: bool


Key: TypeAlias = str | int | float | Flag


def key(value: Any) -> Key | None:
    """A hashable stand-in that is equal exactly when two scalars are; None for anything else."""
    kind = type(value)
    if kind is str or kind is int:
        return value  # type: ignore[no-any-return]
    if kind is float:
        return plain(value)  # type: ignore[no-any-return]
    return Flag(value) if kind is bool else None


def ordered(value: Any) -> str:
    """A scalar as a text, equal exactly when two scalars are.

    Its order decides between values of one instant and one id, so it is the same in SQL (`ls_key`) and in the
    native kernel, whatever came first.
    """
    if type(value) is str:
        return f"s{value}"
    if type(value) is bool:
        return "btrue" if value else "bfalse"
    value = plain(value)
    return f"d{value!r}" if type(value) is float and not _is_whole(value) else f"n{int(value)}"


def from_ordered(text: str) -> str | int | float | bool:
    """The scalar that a text of `ordered` stands for."""
    match text[0]:
        case "s":
            return text[1:]
        case "b":
            return text == "btrue"
        case "n":
            return int(text[1:])
    return float(text[1:])


def _is_whole(value: float) -> bool:
    return abs(value) < _UINT64 and value.is_integer()


_UINT64 = 2**64


def kind(value: Any) -> str:
    """string, number, boolean, list, point, or missing."""
    return _KINDS.get(type(value), "missing")


_KINDS = {str: "string", int: "number", float: "number", bool: "boolean", list: "list", dict: "point"}


def test(comparison: Comparison, zone: tzinfo) -> Test:
    """The test of any op but those that need the clock, on one whole value (None = missing)."""
    op, operand = comparison.op, comparison.value
    if op in PRESENCE_OPS:
        wanted = op == "exists"
        return lambda value: (value is not None) == wanted
    positive = _positive(POSITIVE.get(op, op), operand, comparison.ignore_case, zone)
    return _denied(positive) if op in POSITIVE else positive


def _denied(positive: Test) -> Test:
    def denied(value: Any) -> bool | None:
        holds = positive(value)
        return None if holds is None else not holds

    return denied


def _positive(op: str, operand: Any, ignore_case: bool, zone: tzinfo) -> Test:
    if op in ("eq", "in"):
        return _one_of([operand] if op == "eq" else operand, ignore_case)
    if op in LIST_OPS:
        return _has(op, operand, ignore_case)
    if op in ORDER_OPS:
        return _ordered(op, operand, ignore_case)
    if op in ("before", "after"):
        return _dated(op, operand, zone)
    return _text(op, operand, ignore_case)


class Values:
    """The content of a value list, frozen and shared; two are equal where their digests are.

    `items` are its different values, `keys` what they are compared by, `folded` the same without case.
    """

    __slots__ = ("_folded", "digest", "items", "keys", "kinds")

    def __init__(self, digest: str, items: Iterable[Any]) -> None:
        self.digest = digest
        self.items = tuple(items)
        self.keys = frozenset(map(key, self.items))
        self.kinds = frozenset(map(kind, self.items))
        self._folded: frozenset[Key | None] | None = None

    @property
    def folded(self) -> frozenset[Key | None]:
        if self._folded is None:
            self._folded = frozenset(key(_fold(item)) for item in self.items)
        return self._folded

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Values) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def _keys(operands: list[Any] | Values, ignore_case: bool) -> frozenset[Key | None]:
    if isinstance(operands, Values):
        return operands.folded if ignore_case else operands.keys
    return frozenset(key(_fold(operand) if ignore_case else operand) for operand in operands)


def _fold(value: Any) -> Any:
    return value.casefold() if type(value) is str else value


def _one_of(operands: list[Any] | Values, ignore_case: bool) -> Test:
    kinds = operands.kinds if isinstance(operands, Values) else frozenset(map(kind, operands))
    keys = _keys(operands, ignore_case)

    def one_of(value: Any) -> bool | None:
        if kind(value) not in kinds:
            return None
        return key(_fold(value) if ignore_case else value) in keys

    return one_of


def _has(op: str, operands: list[Any] | Values, ignore_case: bool) -> Test:
    keys = _keys(operands, ignore_case)

    def has(value: Any) -> bool | None:
        if type(value) is not list:
            return None
        items = {key(_fold(item) if ignore_case else item) for item in value}
        return keys <= items if op == "has_all" else not keys.isdisjoint(items)

    return has


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, bound: bool(value == bound),
    "neq": lambda value, bound: bool(value != bound),
    "gt": lambda value, bound: bool(value > bound),
    "gte": lambda value, bound: bool(value >= bound),
    "lt": lambda value, bound: bool(value < bound),
    "lte": lambda value, bound: bool(value <= bound),
    "between": lambda value, bound: bool(bound[0] <= value <= bound[1]),
}
"""Of two numbers, or two strings: what a measure's condition and an op of order ask."""


def _ordered(op: str, operand: Any, ignore_case: bool) -> Test:
    if ignore_case:
        operand = [_fold(item) for item in operand] if op == "between" else _fold(operand)
    operand = [plain(item) for item in operand] if op == "between" else plain(operand)
    wanted = kind(operand[0] if op == "between" else operand)
    holds = COMPARE[op]

    def ordered(value: Any) -> bool | None:
        if kind(value) != wanted:
            return None
        return holds(plain(_fold(value) if ignore_case else value), operand)

    return ordered


def _dated(op: str, operand: str, zone: tzinfo) -> Test:
    bound = parse_date(operand, zone)
    assert bound is not None, "check lets no other value through"

    def dated(value: Any) -> bool | None:
        instant = date_of(value, zone)
        if instant is None:
            return None
        return instant < bound if op == "before" else instant >= bound

    return dated


def date_of(value: Any, zone: tzinfo) -> int | None:
    """The instant (ms) that a date's string names; None if it is none."""
    return parse_date(value, zone) if type(value) is str else None


def _text(op: str, operand: str, ignore_case: bool) -> Test:
    if op == "matches":
        found = pattern(operand, ignore_case).found
        return lambda value: found(value) if type(value) is str else None
    if ignore_case:
        operand = operand.casefold()
    finds: dict[str, Callable[[str], bool]] = {
        "contains": lambda text: operand in text,
        "starts_with": lambda text: text.startswith(operand),
        "ends_with": lambda text: text.endswith(operand),
    }
    holds = finds[op]

    def text(value: Any) -> bool | None:
        if type(value) is not str:
            return None
        return holds(value.casefold() if ignore_case else value)

    return text


def near(lat: float, lon: float, km: float) -> Test:
    """Great-circle distance (haversine) of a point {lat, lon} in degrees."""
    phi, lam = radians(lat), radians(lon)

    def within(value: Any) -> bool | None:
        if (
            type(value) is not dict
            or kind(value.get("lat")) != "number"
            or kind(value.get("lon")) != "number"
        ):
            return None
        phi2, lam2 = radians(value["lat"]), radians(value["lon"])
        h = sin((phi2 - phi) / 2) ** 2 + cos(phi) * cos(phi2) * sin((lam2 - lam) / 2) ** 2
        return 2 * EARTH_KM * asin(min(1.0, sqrt(h))) <= km

    return within


def walk(path: tuple[str, ...], properties: Mapping[str, Any]) -> list[Any]:
    """Every value at a dotted path; lists on the way are walked item by item, the end is left whole."""
    found: list[Any] = [properties]
    for name in path:
        reached = []
        for value in found:
            for holder in flat(value):
                if type(holder) is dict and holder.get(name) is not None:
                    reached.append(holder[name])
        found = reached
    return found


def flat(value: Any) -> list[Any]:
    """A list's items, lists in it walked too; anything else as the one item."""
    if type(value) is not list:
        return [value]
    return [item for inner in value for item in flat(inner)]
