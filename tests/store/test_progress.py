from livesegments.store.progress import Progress, aggregate, decode, encode, estimated_end


def test_progress_survives_the_wire() -> None:
    progress = Progress("building", 3, 10, 2, 1_700_000_000_000)
    assert decode(encode(progress)) == progress


def test_a_segment_is_ready_when_every_partition_is() -> None:
    ready = Progress("ready", 5, 5, 2)
    assert aggregate([ready, ready], 2) == Progress("ready", 10, 10, 2)
    assert aggregate([ready, Progress("building", 1, 5, 2)], 2).state == "building"


def test_a_partition_without_an_entry_or_at_another_version_is_not_ready() -> None:
    ready = Progress("ready", 5, 5, 2)
    assert aggregate([ready, None], 2).state == "building"
    assert aggregate([ready, Progress("ready", 5, 5, 1)], 2) == Progress("building", 5, 5, 2)


def test_complete_since_is_the_latest_of_the_partitions() -> None:
    parts = [Progress("ready", 1, 1, 1, since) for since in (None, 20, 10)]
    assert aggregate(parts, 1).complete_since_ms == 20


def test_the_end_is_estimated_by_the_pace_so_far() -> None:
    building = Progress("building", 250, 1_000, 2)
    assert estimated_end(building, 1_000, 3_000) == 9_000
    assert estimated_end(Progress("building", 0, 1_000, 2), 1_000, 3_000) is None
    assert estimated_end(building, 3_000, 3_000) is None
    assert estimated_end(Progress("ready", 1_000, 1_000, 2), 1_000, 3_000) is None


def test_the_time_in_which_nothing_could_be_built_does_not_count() -> None:
    building = Progress("building", 250, 1_000, 2, begun_ms=1_000)
    assert estimated_end(building, -3_600_000, 3_000) == 9_000


def test_a_segment_is_begun_where_its_first_partition_began() -> None:
    parts = [Progress("building", 1, 2, 1, begun_ms=begun) for begun in (None, 20, 10)]
    assert aggregate(parts, 1).begun_ms == 10
