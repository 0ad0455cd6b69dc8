"""What the check of a definition costs at worst: CPU for the worst definitions within 64 KiB and 200 nodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any, NamedTuple

import msgspec

from livesegments.core import pattern
from livesegments.core.check import MAX_BYTES, MAX_NODES, check_json
from livesegments.core.check_where import MAX_FILTERS

Json = dict[str, Any]
LEAVES = MAX_NODES - 3


class Cost(NamedTuple):
    """`faults`: how many were named; 0 if the definition is sound."""

    name: str
    size: int
    faults: int
    cpu_ms: float


def worst() -> list[Cost]:
    """Of each definition the best of three runs with nothing remembered, the costliest first."""
    costs = [_cost(name, document) for name, document in definitions()]
    return sorted(costs, key=lambda cost: -cost.cpu_ms)


def _cost(name: str, document: Any) -> Cost:
    data = document if isinstance(document, bytes) else msgspec.json.encode(document)
    assert len(data) <= MAX_BYTES, f"{name} has {len(data)} bytes"
    best = float("inf")
    for _ in range(3):
        pattern.forget()
        started = time.process_time()
        _, faults = check_json(data)
        best = min(best, time.process_time() - started)
    return Cost(name, len(data), len(faults), best * 1_000)


def definitions() -> Iterator[tuple[str, Any]]:
    for name, texts in PATTERNS.items():
        for ignore_case in (False, True):
            yield f"patterns, {name}{' (ignore case)' * ignore_case}", _patterns(texts, ignore_case)
    values = [f"v{number}" for number in range(100)]
    yield "filters with 100 values", _grown(lambda n: _filter("in", values))
    yield "empty filters", _grown(lambda n: {})
    yield "dates", _grown(lambda n: _filter("before", f"2024-01-01T00:00:{n % 60:02}.{n}"))
    yield "unknown fields", {"type": "tag", "name": "a", **{f"{n:x}": 0 for n in range(7_000)}}
    yield "wrong values", {"type": "attribute", "name": "a", "op": "in", "value": [{}] * 21_000}
    yield "a long number", b'{"type": "attribute", "name": "a", "op": "eq", "value": %s}' % (b"9" * 65_000)
    yield "a long op", {"type": "attribute", "name": "a", "op": [[]] * 21_000}
    yield "deep", b'{"type": "not", "of": ' * 900 + b"{}" + b"}" * 900


def _filter(op: str, value: Any, **more: Any) -> Json:
    return {"property": "p", "op": op, "value": value, **more}


def _grown(make: Callable[[int], Json]) -> Json:
    """As many filters as fit."""
    return _fitting(make(number) for number in count())


def _fitting(filters: Iterator[Json]) -> Json:
    leaves: list[Json] = []
    size = 200
    for _ in range(LEAVES):
        where = list(islice(filters, MAX_FILTERS))
        fits = []
        for item in where:
            size += len(msgspec.json.encode(item)) + 1
            if size > MAX_BYTES - 50 * LEAVES:
                break
            fits.append(item)
        leaves.append({"type": "event", "name": "e", "where": fits})
    half = len(leaves) // 2
    return {"type": "any", "of": [{"type": "any", "of": part} for part in (leaves[:half], leaves[half:])]}


def _patterns(texts: Callable[[int], str], ignore_case: bool) -> Json:
    more = {"ignore_case": True} if ignore_case else {}
    return _grown(lambda number: _filter("matches", texts(number), **more))


def _padded(unit: str) -> Callable[[int], str]:
    """Different patterns of the greatest length."""
    return lambda number: f"{number:x}" + unit * ((pattern.MAX_PATTERN - 4) // len(unit))


PATTERNS: dict[str, Callable[[int], str]] = {
    "short": lambda number: f"{number:x}",
    "one Unicode class": lambda number: f"\\PL{number:x}",
    "many repetitions": lambda number: f"[a-z]{{0,{1000 - number % 900}}}" * 9 + str(number),
    "repetitions that RE2 hardly takes": lambda number: f"[a-z]{{0,{600 - number % 9}}}" * 9 + str(number),
    "nested repetitions": lambda number: f"(((a{{0,9}}){{0,9}}){{0,9}}){number:x}",
    "as large as allowed": lambda number: f"{number:x}a{{0,990}}",
    "Unicode classes": _padded("\\PL"),
    "a class of classes": lambda number: f"{number:x}[" + "\\PL\\PN" * 41 + "]",
    "negated classes": _padded("[^\\pL]"),
    "wide ranges": _padded("[A-\U0010ffff]"),
    "wide ranges, repeated": _padded("[A-\U0010ffff]?"),
    "dots": _padded("."),
    "words": _padded("\\W"),
    "POSIX classes": _padded("[[:^alpha:][:^digit:]]"),
    "groups": _padded("(a|b)?"),
    "not a pattern": _padded("(?<"),
}
