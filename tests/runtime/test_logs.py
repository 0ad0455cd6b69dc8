import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from livesegments.runtime import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, ours = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**ours)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_json_object_a_line_with_service_level_and_facts() -> None:
    logs.configure("ingest", "info", stream := io.StringIO())
    structlog.get_logger("livesegments.x").info("accepted", events=3, path=object)
    (line,) = lines(stream)
    assert (line["service"], line["level"], line["message"], line["events"]) == (
        "ingest",
        "info",
        "accepted",
        3,
    )
    assert str(line["time"]).endswith("Z") and line["logger"] == "livesegments.x"


def test_libraries_go_the_same_way_and_an_exception_stays_one_line() -> None:
    logs.configure("api", "info", stream := io.StringIO())
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("library").exception("failed on %s", "this")
    (line,) = lines(stream)
    assert line["message"] == "failed on this" and "ValueError: two\nlines" in str(line["exception"])


def test_the_level_holds_and_noisy_libraries_are_quieter() -> None:
    logs.configure("api", "info", stream := io.StringIO())
    structlog.get_logger("livesegments.x").debug("no")
    logging.getLogger("aiokafka.consumer").info("no")
    logging.getLogger("aiokafka.consumer").warning("yes")
    assert [line["message"] for line in lines(stream)] == ["yes"]
    logs.configure("api", "debug", stream := io.StringIO())
    logging.getLogger("aiokafka.consumer").debug("now")
    assert [line["message"] for line in lines(stream)] == ["now"]
