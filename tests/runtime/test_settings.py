import pytest

from livesegments.runtime.settings import Settings, from_environment


def test_read_by_name_and_type() -> None:
    given = {
        "LIVESEGMENTS_PARTITIONS": "4",
        "LIVESEGMENTS_CLOCK": "log",
        "HOME": "/",
        "LIVESEGMENTS_PORT": "0",
    }
    assert from_environment(given) == Settings(partitions=4, clock="log", port=0)


def test_what_only_the_command_line_reads_is_no_fault() -> None:
    assert from_environment({"LIVESEGMENTS_API_KEY": "k", "LIVESEGMENTS_API_URL": "http://x"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PARTITIONS", "many", "partitions"),
        ("CLOCK", "sundial", "clock"),
        ("PARTITONS", "4", "partitons"),
        ("LOG_LEVEL", "loud", "log_level"),
    ],
)
def test_a_wrong_or_unknown_variable_is_named(variable: str, value: str, says: str) -> None:
    with pytest.raises(ValueError, match=rf"LIVESEGMENTS_\*: .*{says}"):
        from_environment({f"LIVESEGMENTS_{variable}": value})
