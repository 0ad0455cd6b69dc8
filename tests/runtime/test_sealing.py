"""Secrets that are sealed: under the first key, opened by any."""

from __future__ import annotations

import pytest

from livesegments.runtime.sealing import Seal, Unopened, new_key


def test_a_key_is_replaced_by_one_before_it() -> None:
    old, new = new_key(), new_key()
    first = Seal(old).sealed("whsec_x")
    both = Seal(f"{new}, {old}")
    assert "whsec_x" not in first and first.startswith("sealed:")
    assert both.opened(first) == "whsec_x" and both.sealed(first) == first
    again = both.anew(first)
    assert Seal(new).opened(again) == "whsec_x"
    with pytest.raises(Unopened):
        Seal(new).opened(first)
    assert Seal(new).anew(first) == first, "what can't be opened stays as it is"


def test_without_a_key_it_lies_as_it_is_and_is_sealed_once_there_is_one() -> None:
    assert Seal("").sealed("whsec_x") == Seal("").opened("whsec_x") == "whsec_x"
    assert Seal(new_key()).opened("whsec_x") == "whsec_x"
    assert Seal(new_key()).anew("whsec_x").startswith("sealed:")
    with pytest.raises(Unopened):
        Seal("").opened(Seal(new_key()).sealed("whsec_x"))
    with pytest.raises(ValueError, match="Fernet key"):
        Seal("no key")
