"""Random definitions over the whole condition language, in a vocabulary small enough for things to happen.

They are JSON, as an author writes them. A segment refers only to segments before it in `IDS`, so there
are no cycles; the last one may look at the transitions of all others.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
from hypothesis import strategies as st

from livesegments.core import bucket
from livesegments.core.definition import Node
from livesegments.core.value import Values
from livesegments.core.value_list import content, referring, spelled
from livesegments.core.words import MEASURES, VALUES

Json = dict[str, Any]
Draw = st.DrawFn

IDS = ("s0", "s1", "s2", "s3", "s4")
STATIC = ("z0", "z1")
NAMES = ("a", "b")
LISTS: dict[str, list[Any]] = {"l0": [1, "a", 0.1], "l1": ["A", "ab", 2, "ß"], "l2": ["b"]}
"""The value lists of the workspace."""
CONTENTS = {id_: Values(content(list_)[0], content(list_)[1]) for id_, list_ in LISTS.items()}
ATTRIBUTES = ("p", "p", "q", "score", "groups")
PATHS = ("x", "y", "o.x", "l.x", "l", "m.n.x")
TAGS = ("t", "u")
DATES = (
    "2000-02-29",
    "1990-12-31T23:30:00Z",
    "2023-01-31T10:00",
    "2024-01-30 11:00:00.500",
    "2024-02-29",
    "2024-03-10 02:30",
    "2024-03-31T02:30:00",
    "2024-04-07T01:45",
    "2024-06-15T12:00:00+05:30",
    "2024-10-27T02:30:00",
    "2024-12-31T23:59:59.999Z",
    "2025-03-01T00:00-0800",
)
SENTINELS = ("0001-01-01", "9999-12-31T23:59:59Z")
NUMBERS = (0, 1, 1.0, 2, 3, -1, 0.1, 0.2, 0.3, 1e-7)
LARGE = (2**60 + 24, 2**60, 2.0**60, 2**53 + 1, 2.0**53)
"""The third is written as the first."""
SCALARS = (*NUMBERS, *LARGE, True, False, "a", "A", "ab", "b", "ß", "ss", "1", *DATES[:6], *SENTINELS)
TEXTS = ("a", "A", "b", "SS", "", "1")
PATTERNS = ("^a", "B$", "[a-z]+", "(?i)A", "\\d", "ß", "^$")
DURATIONS = ("45s", "1h", "1d", "7d", "30d", "31d", "1mo", "1mo", "2mo", "12mo", "1y")
SKIPPED = (
    ("1d", "1h"), ("7d", "1d"), ("30d", "2w"), ("1mo", "1d"), ("1mo", "29d"), ("2mo", "1mo"), ("1y", "2mo"),
)  # fmt: skip
RELATIVE = (
    "in_last",
    "in_next",
    "older_than",
    "younger_than",
    "in_period",
    "in_period",
    "anniversary",
    "anniversary_in_month",
    "anniversary_in_next",
)
CASELESS = ("before", "after", "exists", "missing", *RELATIVE)
PERIODS = ("day", "day", "week", "sunday_week", "month", "month", "quarter", "year")
WITHIN = ("1s", "1h", "1d", "2d", "7d", "30d", "1mo", "2mo")

STATES = ("opted_in", "opted_out", "none")
PAIRS: tuple[Json, ...] = ({"channel": "email"}, {"topic": "news"}, {"channel": "email", "topic": "news"})

COMMON = (0, 1, 1, 1.0, 2, True, "a", "A", 0.1)

scalars = st.sampled_from(COMMON * 8 + SCALARS)
flags = st.sampled_from((False, False, False, True))


def node(document: Json) -> Node:
    """A definition as it is stored."""
    return referring(
        msgspec.convert(document, Node), {id_: values.digest for id_, values in CONTENTS.items()}
    )


def contents(id_: str, digest: str) -> Values:
    """What is in the workspace's value lists."""
    assert CONTENTS[id_].digest == digest
    return CONTENTS[id_]


def written_out(root: Node) -> Node:
    """A stored definition as the oracle and SQL know it: they know no value lists."""
    return spelled(root, contents)


@st.composite
def windows(draw: Draw) -> Json:
    kind = draw(st.integers(0, 11))
    if kind >= 10:
        return {"window": draw(periods(-3, 0))}
    if kind < 5:
        return {"window": {"last": draw(st.sampled_from(DURATIONS))}}
    if kind < 8:
        last, skip = draw(st.sampled_from(SKIPPED))
        return {"window": {"last": last, "skip": skip}}
    if kind < 9:
        return {}
    bounds = {"from": draw(st.sampled_from(DATES[4:8])), "to": draw(st.sampled_from(DATES[8:]))}
    for missing in draw(st.sampled_from(((), ("from",), ("to",)))):
        del bounds[missing]
    return {"window": bounds}


@st.composite
def numbers(draw: Draw, least: int, most: int) -> Json:
    """Two whole numbers from now; now and then one is left out."""
    found = sorted(draw(st.lists(st.integers(least, most), min_size=2, max_size=2)))
    pair = dict(zip(("from", "to"), found, strict=True))
    return {name: number for name, number in pair.items() if number or draw(st.booleans())}


@st.composite
def periods(draw: Draw, least: int, most: int) -> Json:
    period = draw(st.sampled_from(PERIODS))
    wide = 8 if period == "day" else 1
    return {"period": period, **draw(numbers(least * wide, most * wide))}


@st.composite
def relative(draw: Draw) -> Json:
    """An op that is relative to now."""
    op = draw(st.sampled_from(RELATIVE))
    match op:
        case "in_period":
            return {"op": op, "value": draw(periods(-3, 2))}
        case "anniversary":
            return {"op": op, "value": draw(numbers(-5, 40) | numbers(-366, 366))}
        case "anniversary_in_month":
            return {"op": op, "value": draw(numbers(-1, 2))}
    ages = ("24y", "34y") if op in ("older_than", "younger_than") else ()
    return {"op": op, "value": draw(st.sampled_from((*DURATIONS, *ages)))}


@st.composite
def tests(draw: Draw, clock: bool) -> Json:
    """An op with its operand; `clock`: those relative to now more often."""
    kinds = (
        "equal",
        "equal",
        "order",
        "order",
        "text",
        "list",
        "date",
        "there",
        *("clock",) * (3 if clock else 1),
    )
    found: Json
    match draw(st.sampled_from(kinds)):
        case "equal":
            op = draw(st.sampled_from(("eq", "neq", "in", "not_in")))
            if op.endswith("in") and draw(flags):
                listed = draw(st.sampled_from(tuple(LISTS)))
                return {"op": op, "value_list": listed, "ignore_case": draw(flags)}
            plural = draw(st.lists(scalars, min_size=1, max_size=3)) if op.endswith("in") else None
            found = {"op": op, "value": plural or draw(scalars)}
        case "order":
            op = draw(st.sampled_from(("gt", "gte", "lt", "lte", "between")))
            pool = draw(
                st.sampled_from(((0, 1, 1.0, 2, 0.1, 0.3), LARGE, ("a", "A", "b", "SS", "2024-01-30")))
            )
            bounds = draw(st.lists(st.sampled_from(pool), min_size=2, max_size=2))
            bounds.sort(key=lambda bound: bound if isinstance(bound, str) else Decimal(repr(bound)))
            found = {"op": op, "value": bounds if op == "between" else bounds[0]}
        case "text":
            op = draw(st.sampled_from(("contains", "not_contains", "starts_with", "ends_with", "matches")))
            found = {"op": op, "value": draw(st.sampled_from(PATTERNS if op == "matches" else TEXTS))}
        case "list":
            op = draw(st.sampled_from(("has_any", "has_all", "has_none")))
            if op != "has_all" and draw(flags):
                return {"op": op, "value_list": draw(st.sampled_from(tuple(LISTS)))}
            found = {"op": op, "value": draw(st.lists(scalars, min_size=1, max_size=2))}
        case "date":
            found = {"op": draw(st.sampled_from(("before", "after"))), "value": draw(st.sampled_from(DATES))}
        case "there":
            found = {"op": draw(st.sampled_from(("exists", "missing")))}
        case _:
            found = draw(relative())
    if found["op"] not in CASELESS and draw(flags):
        found["ignore_case"] = True
    if draw(flags):
        found["when_missing"] = draw(st.booleans())
    return found


@st.composite
def happenings(draw: Draw, before: tuple[str, ...], all_others: bool) -> Json:
    """The name of an event and filters on it."""
    names: tuple[str, ...] = NAMES * 8 + (
        "$attribute_changed",
        "$attribute_changed",
        "$tag_added",
        "$tag_removed",
        "$consent_changed",
    )
    if before or all_others:
        names += ("$segment_entered", "$segment_exited") * 2
    name = draw(st.sampled_from(names))
    if draw(st.integers(0, 7)) == 0:
        several = draw(
            st.lists(st.sampled_from((*NAMES, *NAMES, *names)), min_size=2, max_size=3, unique=True)
        )
        if all_others or not any(each.startswith("$segment") for each in several):
            return {"names": several}
    if name.startswith("$segment"):
        if all_others and draw(st.booleans()):
            return {"name": name}
        if not before:
            return {"name": "a"}
        value = draw(st.lists(st.sampled_from(before), min_size=1, max_size=2))
        return {"name": name, "where": [{"property": "segment", "op": "in", "value": value}]}
    if name == "$attribute_changed":
        where = [{"property": "name", "op": "eq", "value": draw(st.sampled_from(ATTRIBUTES))}]
        if draw(flags):
            where.append({"property": draw(st.sampled_from(("from", "to"))), **draw(tests(False))})
        return {"name": name, "where": where[draw(st.integers(0, 1)) :]}
    if name.startswith("$tag"):
        tag = draw(st.sampled_from(TAGS))
        return {"name": name, "where": [{"property": "name", "op": "eq", "value": tag}]}
    if name == "$consent_changed":
        return {"name": name, "where": [{"property": "to", "op": "neq", "value": "opted_in"}]}
    if draw(st.integers(0, 3)):
        return {"name": name}
    return {"name": name, "where": draw(st.lists(filters(), min_size=1, max_size=2))}


@st.composite
def filters(draw: Draw) -> Json:
    """One test of a property, or now and then several of the items of a list."""
    if draw(st.integers(0, 3)):
        return {"property": draw(st.sampled_from(PATHS)), **draw(tests(False))}
    one = st.builds(lambda path, test: {"property": path, **test}, st.sampled_from("xxy"), tests(False))
    inner = draw(st.lists(one, min_size=1, max_size=2))
    of = st.sampled_from(("item", "item", "no_item"))
    if draw(flags):
        return {"property": "m", draw(of): [{"property": "n", draw(of): inner}]}
    return {"property": draw(st.sampled_from(("l", "l", "m.n"))), draw(of): inner}


@st.composite
def measures(draw: Draw) -> Json:
    of = draw(
        st.sampled_from(
            (
                "count",
                "count",
                "count",
                "days",
                "weeks",
                "sunday_weeks",
                "months",
                "sum",
                "avg",
                "min",
                "max",
                "distinct",
            )
        )
    )
    op = draw(st.sampled_from(("gte", "gte", "gte", "eq", "neq", "gt", "lt", "lte", "between")))
    pool = (
        (1, 1, 2, 2, 3, 0, 4, 5, 1.5)
        if of in ("count", "days", "weeks", "sunday_weeks", "months", "distinct")
        else (0, 1, 0.1, 0.3, 2, 0.15)
    )
    bounds = sorted(draw(st.lists(st.sampled_from(pool), min_size=2, max_size=2)))
    found: Json = {"op": op, "value": bounds if op == "between" else bounds[0]}
    if of != "count":
        found["measure"] = {"of": of}
        if of not in ("days", "weeks", "sunday_weeks", "months"):
            found["measure"]["property"] = draw(st.sampled_from(("x", "x", *PATHS)))
    return found if draw(st.integers(0, 2)) else {}


@st.composite
def buckets(draw: Draw) -> Json:
    """Often one at whose border the profile `p` of the race lies."""
    salt = draw(st.sampled_from(("a", "b", "ß")))
    at = bucket.number(salt, "p")
    pool = st.sampled_from((0, 5_000, 9_999, 10_000, at, at, at + 1))
    low, high = sorted(draw(st.lists(pool, min_size=2, max_size=2, unique=True)))
    return {"salt": salt, "from": low / 100, "to": high / 100}


@st.composite
def computed(draw: Draw, before: tuple[str, ...]) -> Json:
    """A condition on a computed attribute, as it is stored: with what the attribute is."""
    of = draw(st.sampled_from((*MEASURES, *VALUES, *VALUES)))
    measure: Json = {"of": of}
    if (MEASURES | VALUES)[of].property:
        measure["property"] = draw(st.sampled_from(("x", "x", *PATHS)))
    if of in MEASURES:
        op = draw(st.sampled_from(("gte", "lt", "eq", "neq", "in", "not_in", "between", "exists", "missing")))
        pool = st.sampled_from((0, 1, 1, 2, 2, 3, 0.3, 1.5, 0.15))
        asked: Json = {"op": op}
        if op.endswith("in") and draw(flags):
            asked["value_list"] = draw(st.sampled_from(tuple(LISTS)))
        elif op not in ("exists", "missing"):
            bounds = sorted(draw(st.lists(pool, min_size=2, max_size=2)))
            asked["value"] = bounds if op in ("in", "not_in", "between") else bounds[0]
    elif (MEASURES | VALUES)[of].gives == "date":
        asked = draw(
            relative()
            | st.builds(
                lambda op, date: {"op": op, "value": date},
                st.sampled_from(("before", "after")),
                st.sampled_from(DATES),
            )
            | st.sampled_from(({"op": "exists"}, {"op": "missing"}))
        )
    else:
        asked = draw(tests(True).filter(lambda test: test["op"] not in ("has_any", "has_all", "has_none")))
    if draw(flags):
        asked["when_missing"] = draw(st.booleans())
    happening = draw(happenings(before, False))
    name = f"computed:{sha256(repr((happening, measure)).encode()).hexdigest()[:8]}"
    return {
        "type": "computed",
        **happening,
        **draw(windows()),
        "measure": measure,
        "asked": {"type": "attribute", "name": name, **asked},
    }


@st.composite
def leaves(draw: Draw, before: tuple[str, ...], all_others: bool) -> Json:
    kinds: tuple[str, ...] = (
        ("event",) * 8 + ("sequence",) * 4 + ("occurrence",) * 3 + ("attribute",) * 3 + ("day",) * 2
    )
    kinds += ("computed",) * 5
    kinds += ("tag", "consent", "near", "bucket") + ("segment",) * 2 * bool(before)
    kind = draw(st.sampled_from(kinds))
    happening = happenings(before, all_others)
    match kind:
        case "event":
            return {"type": kind, **draw(happening), **draw(windows()), **draw(measures())}
        case "occurrence":
            which = draw(st.sampled_from(("first", "last")))
            found = {"type": kind, "which": which, **draw(happening), **draw(windows())}
            if not found.get("name", "").startswith("$") and draw(st.booleans()):
                found["has"] = draw(st.lists(filters(), min_size=1, max_size=2))
            return found
        case "sequence":
            steps = draw(st.lists(happening, min_size=2, max_size=draw(st.sampled_from((2, 3, 3, 5)))))
            if draw(st.booleans()):
                steps[-1] = {**steps[-1], "absent": True}
            within = draw(st.sampled_from(WITHIN))
            shared = {"same": draw(st.sampled_from(("x", "x", "y", "l.x", "o.x")))} if draw(flags) else {}
            return {"type": kind, "steps": steps, "within": within, **draw(windows()), **shared}
        case "computed":
            return draw(computed(before))
        case "attribute":
            return {"type": kind, "name": draw(st.sampled_from(ATTRIBUTES)), **draw(tests(True))}
        case "day":
            return {"type": "attribute", "name": "day", **draw(relative())}
        case "tag":
            return {"type": kind, **draw(st.sampled_from(({}, *({"name": name} for name in TAGS))))}
        case "bucket":
            return {"type": kind, **draw(buckets())}
        case "consent":
            return {"type": kind, **draw(st.sampled_from(PAIRS)), "state": draw(st.sampled_from(STATES))}
        case "near":
            km = draw(st.sampled_from((0, 60, 400)))
            return {"type": kind, "attribute": "place", "lat": 48, "lon": 11, "km": km}
    return {"type": kind, "id": draw(st.sampled_from(before))}


@st.composite
def definitions(draw: Draw, before: tuple[str, ...], all_others: bool, depth: int = 2) -> Json:
    """`before`: the segments that it may refer to."""
    kind = draw(st.integers(0, 8)) if depth else 0
    if kind < 6:
        return draw(leaves(before, all_others))
    below = definitions(before, all_others, depth - 1)
    if kind == 6:
        return {"type": "not", "of": draw(below)}
    return {"type": ("all", "any")[kind % 2], "of": draw(st.lists(below, min_size=1, max_size=2))}
