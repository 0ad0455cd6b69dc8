from livesegments.history.ranges import Range, chain, mergeable, parse


def ranges(*ends: tuple[int, int]) -> list[Range]:
    return [Range(first, last, "a") for first, last in ends]


def test_a_name_is_its_range() -> None:
    assert parse(Range(1, 40, "9f3c").name) == Range(1, 40, "9f3c")
    assert parse(".0000000000000001-0000000000000040-9f3c.parquet.abc") is None
    assert parse("manifest.json") is None


def test_the_chain_takes_what_reaches_furthest_and_stops_at_a_gap() -> None:
    found = ranges((1, 4), (5, 9), (1, 9), (10, 12), (14, 20))
    assert chain(found) == ranges((1, 9), (10, 12))
    assert chain(found, upto=9) == ranges((1, 9))
    assert chain(found, upto=5) == ranges((1, 4))
    assert chain([]) == []


def test_small_neighbours_are_merged_oldest_first() -> None:
    one, two, three, four, five = ranges((1, 4), (5, 6), (7, 8), (9, 9), (10, 11))
    registered = [(one, 90), (two, 10), (three, 10), (four, 10), (five, 80)]
    assert mergeable(registered, upto=20, most_bytes=50, least=2) == [two, three, four]
    assert mergeable(registered, upto=8, most_bytes=50, least=2) == [two, three]
    assert mergeable(registered, upto=6, most_bytes=50, least=2) == []


def test_no_merge_goes_across_a_border() -> None:
    registered = [(each, 10) for each in ranges((1, 4), (5, 6), (7, 8), (9, 12), (13, 14))]
    one, two, three, four, five = (each for each, _ in registered)
    assert mergeable(registered, 14, 1_000, 2, {8}) == [one, two, three]
    assert mergeable(registered, 14, 1_000, 2, {4}) == [two, three, four, five]
    assert mergeable(registered, 14, 1_000, 2, {6, 8}) == [one, two]
    assert mergeable(registered, 14, 1_000, 3, {6, 8}) == []
