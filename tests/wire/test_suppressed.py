"""Who was erased is recognised in foreign bytes, however they are written."""

from __future__ import annotations

import pytest

from livesegments.wire.suppressed import digest, names_any

KEY = "k"
ERASED = {digest(KEY, "w", each) for each in ("ada", "anonymous:7f", "42", 'a"b', "ü")}


@pytest.mark.parametrize(
    "raw",
    [
        b'{"userId":"ada"}',
        b'{"userId" : "\\u0061da", "broken',
        b'[{"anonymousId":"7f"}]',
        b'{"userId":42}',
        b'{"userId":"a\\"b"}',
        '{"userId":"ü"}'.encode(),
        b'\xff\x00"ada"',
    ],
)
def test_an_id_is_found(raw: bytes) -> None:
    assert names_any(raw, KEY, ["w"], ERASED)


@pytest.mark.parametrize("raw", [b"", b'{"userId":"adam"}', b'{"n":421, "m":4.2, "o":-42}', b"ada", b'"ada'])
def test_another_is_not(raw: bytes) -> None:
    assert not names_any(raw, KEY, ["w"], ERASED)
    assert not names_any(b'"ada"', KEY, ["other"], ERASED)
    assert not names_any(b'"ada"', KEY, ["w"], ())


def test_what_is_too_long_to_be_looked_at_is_withheld() -> None:
    raw = b",".join(b'"%d"' % number for number in range(20_000))
    assert names_any(raw, KEY, ["w"], ERASED)


def test_digests_need_the_key() -> None:
    assert digest("a", "w", "ada") != digest("b", "w", "ada") != digest("b", "v", "ada")
