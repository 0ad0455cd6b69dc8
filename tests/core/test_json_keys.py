"""A key that stands twice is noticed however the text is written; a key that stands once never is."""

import json
from random import Random
from typing import Any

import msgspec
import pytest

from livesegments.core.json_keys import repeated, repeated_member


def fault(text: str, at: str = "") -> tuple[str, str] | None:
    found = repeated(text.encode(), msgspec.json.decode(text), at)
    return None if found is None else (found.pointer, found.code)


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"a":1,"a":1}', "/a"),
        ('{"a":1,"\\u0061":2}', "/a"),
        ('{"a":":","a":":"}', "/a"),
        ('{"x":[{"b":1},{"c":{"a/b":1,"d":2,"a/b":3}}]}', "/x/1/c/a~1b"),
        ('{"a":{"b":"::"},"a":{"b":"\\u003A"}}', "/a"),
        ('{"a":1,"a":2,"c":"\\u003a"}', "/a"),
        ('{"":1,"":2}', "/"),
    ],
)
def test_what_stands_twice(text: str, pointer: str) -> None:
    assert fault(text) == (pointer, "repeated_key")
    assert fault(text, "/data") == (f"/data{pointer}", "repeated_key")


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"A":2}',
        '{"a:b":":","a":{"a":"\\u003a"}}',
        "7",
        '"a:b"',
        "[]",
        '{"a":"\\\\u003a"}',
        '{"n":1e2}',
        '{"a":{"b":1},"c":{"b":1}}',
        '[{"a":1},{"a":1}]',
        '{"n":123456789012345678901234567890}',
    ],
)
def test_what_stands_once(text: str) -> None:
    assert fault(text) is None


def written(rng: Random, depth: int) -> tuple[str, bool]:
    """A random value's text, and whether a key stands twice in it."""
    strings = ['"a"', '"b"', '":"', '"\\u003a"', '"\\u003A:"', '"é"', '"\\u0061"', '"\\\\u003a"', '"\\""']
    kind = rng.randrange(5) if depth else 0
    if kind < 2:
        return rng.choice([*strings, "1", "-2.5e3", "null", "true"]), False
    inner = [written(rng, depth - 1) for _ in range(rng.randrange(4))]
    twice = any(each for _, each in inner)
    if kind == 2:
        return f"[{','.join(text for text, _ in inner)}]", twice
    keys = [rng.choice(strings) for _ in inner]
    twice = twice or len({json.loads(key) for key in keys}) < len(keys)
    members = (f"{key} : {text}" for key, (text, _) in zip(keys, inner, strict=True))
    return "{" + ",".join(members) + "}", twice


def test_random_texts() -> None:
    rng, seen = Random(7), [0, 0]
    for _ in range(5_000):
        text, twice = written(rng, 4)
        assert (fault(text) is not None) == twice, text
        seen[twice] += 1
    assert min(seen) > 300, seen


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"batch":[],"batch":[{"a":1}]}', "/batch"),
        ('{"batch":[{"a:b":1}],"sentAt":"1:2","b\\u003a":0,"b:":1}', "/b:"),
        ('{"batch":[{"a":1,"a":2}],"sentAt":"12:00"}', None),
    ],
)
def test_of_an_outermost_object_alone(text: str, pointer: str | None) -> None:
    members: Any = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    found = repeated_member(text.encode(), members)
    assert (None if found is None else found.pointer) == pointer
