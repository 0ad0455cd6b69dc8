"""What may be an id: any text that a path, a log and a terminal show as it is."""

import sys

import pytest

from livesegments.core.fault import Faults
from livesegments.core.ids import MAX_ID, fault_of, is_id


@pytest.mark.parametrize("text", ["a", ".", "..", "a/b", " ", "a b", "%2F", "ünï", "👩", "x" * MAX_ID])
def test_what_may_be_an_id(text: str) -> None:
    assert is_id(text) and fault_of(text) is None
    assert Faults().name(text, "") == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("x" * (MAX_ID + 1), "too_long"),
        ("👩" * (MAX_ID + 1), "too_long"),
        ("ann\n", "bad_character"),
        ("a\u001b[31mRED", "bad_character"),
        ("\ud83d", "bad_character"),
    ],
)
def test_what_may_not(text: str, code: str) -> None:
    faults = Faults()
    assert not is_id(text) and faults.name(text, "/at") is None
    assert [(fault.pointer, fault.code) for fault in faults.found] == [("/at", code)]


def test_just_the_controls_and_the_surrogates_are_refused() -> None:
    refused = {code for code in range(sys.maxunicode + 1) if not is_id(f"é{chr(code)}")}
    assert refused == {*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)}
    assert all(is_id(chr(code)) == (code not in refused) for code in range(0x100))


def test_the_message_says_which_character_and_where() -> None:
    told = fault_of("ann\n")
    assert told is not None and told[1].startswith("has U+000A at position 3")
