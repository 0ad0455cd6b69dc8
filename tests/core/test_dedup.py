"""Which event ids are known: by age, by number, by nothing else."""

from __future__ import annotations

from hashlib import blake2b

from livesegments.core.dedup import remember

DAY = 86_400_000


def test_an_id_is_known_for_the_window_and_not_a_millisecond_longer() -> None:
    seen = remember(b"", "a", 5, DAY, 10)
    assert seen is not None
    assert remember(seen, "a", 5 + DAY - 1, DAY, 10) is None
    again = remember(seen, "a", 5 + DAY, DAY, 10)
    assert again is not None and len(again) == len(seen)


def test_only_the_newest_ids_are_known() -> None:
    seen: bytes | None = b""
    for id_ in "abc":
        assert seen is not None
        seen = remember(seen, id_, 1, DAY, 3)
    assert seen is not None and all(remember(seen, id_, 2, DAY, 3) is None for id_ in "abc")
    more = remember(seen, "d", 2, DAY, 3)
    assert more is not None and len(more) == len(seen)
    assert remember(more, "b", 3, DAY, 3) is None
    assert remember(more, "a", 3, DAY, 3) is not None


def test_an_id_is_looked_for_only_where_an_entry_begins() -> None:
    digest = blake2b(b"a", digest_size=8).digest()
    seen = b"\0\0\0" + digest + b"\0\0\0"
    assert remember(seen, "a", 1, DAY, 10) is not None
    assert remember(seen + digest + bytes(5) + b"\1", "a", 1, DAY, 10) is None
