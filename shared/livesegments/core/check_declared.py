"""Every fault of a condition by the declared type of the attribute that it asks about."""

from __future__ import annotations

from typing import Any

from livesegments.core.declared import Declarations, Declared
from livesegments.core.fault import Faults, join
from livesegments.core.typed import shown
from livesegments.core.value import kind
from livesegments.core.words import OPS, PRESENCE_OPS


def condition(faults: Faults, condition: dict[str, Any], at: str, declared: Declared) -> None:
    """The faults of a condition of an attribute by its declared type; it has no others."""
    op = OPS.get(condition["op"])
    if op is None or op.name in PRESENCE_OPS:
        return
    if op.name not in _OPS[declared.type]:
        fitting = ", ".join(name for name in OPS if name in _OPS[declared.type])
        told = f"{condition['name']!r} is declared a {declared.type}: ask with {fitting}"
        faults.add(join(at, "op"), "wrong_op", told if declared.type != "point" else f"{told}, or a `near`")
        return
    value, where = condition.get("value"), join(at, "value")
    wanted = {"number": "number", "boolean": "boolean", "text": "string"}.get(declared.type)
    operands = value if isinstance(value, list) else [value]
    if wanted is not None and op.operand in ("scalar", "scalars", "ordered", "pair") and "value" in condition:
        for odd in [each for each in operands if kind(each) != wanted][:1]:
            told = f"{condition['name']!r} is declared a {declared.type}, and {shown(odd)} is none"
            faults.add(where, "wrong_type", told)
            return
    if declared.choices and op.operand in ("scalar", "scalars") and not condition.get("ignore_case"):
        for odd in [each for each in operands if "value" in condition and each not in declared.choices][:1]:
            few = ", ".join(map(str, declared.choices[:5]))
            told = f"{shown(odd)} is none of the choices of {condition['name']!r}: {few}"
            faults.add(where, "unknown_choice", told)


def nearness(faults: Faults, name: Any, at: str, declared: Declarations) -> None:
    """The fault of a `near` that asks about an attribute which is declared to be no point."""
    found = declared.get(name) if isinstance(name, str) else None
    if found is not None and found.type != "point":
        faults.add(at, "wrong_type", f"{name!r} is declared a {found.type}; `near` needs a point")


_ANY = frozenset(PRESENCE_OPS)
_EQUAL = frozenset(("eq", "neq", "in", "not_in"))
_OPS: dict[str, frozenset[str]] = {
    "text": _ANY | frozenset(op.name for op in OPS.values() if op.compares in ("its kind", "texts")),
    "number": _ANY | frozenset(op.name for op in OPS.values() if op.compares == "its kind"),
    "boolean": _ANY | _EQUAL,
    "date": _ANY | _EQUAL | frozenset(op.name for op in OPS.values() if op.compares == "dates"),
    "list": _ANY | frozenset(op.name for op in OPS.values() if op.compares == "lists"),
    "point": _ANY,
}
"""The ops that make sense of a type."""
