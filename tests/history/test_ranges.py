from livesegments.history.ranges import Range, chain, mergeable, parse


def test_a_name_is_its_range() -> None:
    assert parse(Range(1, 40).name) == Range(1, 40)
    assert parse(".0000000000000001-0000000000000040.parquet.abc") is None
    assert parse("manifest.json") is None


def test_the_chain_takes_what_reaches_furthest_and_stops_at_a_gap() -> None:
    found = [Range(1, 4), Range(5, 9), Range(1, 9), Range(10, 12), Range(14, 20)]
    assert chain(found) == [Range(1, 9), Range(10, 12)]
    assert chain(found, upto=9) == [Range(1, 9)]
    assert chain(found, upto=5) == [Range(1, 4)]
    assert chain([]) == []


def test_small_neighbours_are_merged_oldest_first() -> None:
    registered = [
        (Range(1, 4), 90),
        (Range(5, 6), 10),
        (Range(7, 8), 10),
        (Range(9, 9), 10),
        (Range(10, 11), 80),
    ]
    assert mergeable(registered, upto=20, most_bytes=50, least=2) == [Range(5, 6), Range(7, 8), Range(9, 9)]
    assert mergeable(registered, upto=8, most_bytes=50, least=2) == [Range(5, 6), Range(7, 8)]
    assert mergeable(registered, upto=6, most_bytes=50, least=2) == []
