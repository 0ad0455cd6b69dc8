"""docs/events.md: every example is what it says, and every limit is the one that holds."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from livesegments.core.event import Event
from livesegments.core.fault import Fault
from livesegments.core.ids import MAX_ID
from livesegments.ingest import accept, forms, http, receipt, traits
from livesegments.ingest.accept import Verdicts
from livesegments.ingest.reading import MAX_DEPTH
from livesegments.ingest.receipt import Accepted, Receipt
from livesegments.runtime.settings import Settings
from livesegments.wire.rejected import encode

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
BLOCKS = re.findall(r"^```(json|ndjson) ([^\n]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
RECEIPT = Receipt("shop", 1_772_366_405_000, "http", "given")


def accepted(of: str, content: bytes) -> list[object]:
    match of.split():
        case ["POST", path, *_]:
            call = path.rpartition("/")[2]
            if call in ("batch", "events"):
                found = accept.batch(content, RECEIPT) if call == "batch" else accept.events(content, RECEIPT)
                assert isinstance(found, Verdicts)
                return [*found.accepted, *found.rejected]
            return [accept.call(call, content, RECEIPT)]
        case ["inbound", "binary"]:
            record = msgspec.json.decode(content)
            assert record["headers"]["ce_workspace"] == "shop"
            return [accept.inbound(record["headers"], msgspec.json.encode(record["value"]), RECEIPT)]
        case ["inbound"]:
            assert accept.workspace_in(content) == "shop"
            return [accept.inbound({}, content, RECEIPT)]
    raise AssertionError(f"what is {of!r}?")


def block(of: str) -> Any:
    (found,) = [content for _, label, content in BLOCKS if label == of]
    return msgspec.json.decode(found)


SHOWN = [(of, content) for _, of, content in BLOCKS if not of.endswith(("refused", "verdicts", "rejected"))]


@pytest.mark.parametrize(("of", "content"), SHOWN, ids=[of for of, _ in SHOWN])
def test_what_is_shown_is_accepted(of: str, content: str) -> None:
    for verdict in accepted(of, content.encode()):
        assert isinstance(verdict, Accepted), verdict


def test_every_call_is_shown() -> None:
    shown = {of.split()[1] for of, _ in SHOWN if of.startswith("POST")}
    unused: Any = None
    edge = http.Edge(unused, unused, unused, unused, unused)
    assert shown == {route.path for route in edge.routes() if len(route.path) > len("/v1/t")}
    assert len(SHOWN) > 12 and "```json\n" not in PAGE


def test_what_is_refused_is_answered_and_kept_as_shown() -> None:
    (content,) = [content for _, of, content in BLOCKS if of == "POST /v1/batch refused"]
    found = accept.batch(content.encode(), RECEIPT)
    assert not isinstance(found, Fault)
    answer = http.answer(found, 200)
    assert msgspec.json.decode(answer.body) == block("verdicts")
    (rejection,) = found.rejected
    assert msgspec.json.decode(encode(rejection)) == block("rejected")


def attributes(row: str) -> list[str]:
    """The forms in a row of the table of reserved attributes, with a name for `…`."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{row}` |")]
    forms = [form.replace("…", '"a"') for form in re.findall(r"`([^`]+)`", line.split("|")[2])]
    return [form for form in forms if (form[:1] in "[{7" and ":" in form) or form[:1] in "[7"]


@pytest.mark.parametrize("name", ["tags", "score", "lists"])
def test_every_form_of_a_reserved_attribute_is_accepted(name: str) -> None:
    forms = attributes(name)
    assert len(forms) == {"tags": 2, "score": 4, "lists": 1}[name]
    for form in forms:
        (verdict,) = accepted("POST /v1/events", f'{{"profile":"p","{name}":{form}}}'.encode())
        assert isinstance(verdict, Accepted), verdict
        event = msgspec.msgpack.decode(verdict.data, type=Event)
        assert event.properties, form


def test_the_limits_are_those_that_hold() -> None:
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", PAGE.partition("## Limits")[2], re.MULTILINE))
    assert rows["an event"] == f"{receipt.MAX_EVENT_BYTES // 1024} KiB"
    whole = f"{receipt.MAX_BATCH_BYTES // 1024} KiB and {accept.MAX_ITEMS:,} items"
    assert rows["a body of `/v1/batch` or `/v1/events`, inflated"] == whole
    assert rows["objects and lists within each other"] == str(MAX_DEPTH)
    assert rows["names, ids, tags"].startswith(f"{MAX_ID} characters")
    assert rows["items of a list attribute, of tags, groups, lists, consents"] == f"{forms.MAX_ITEMS:,}"
    assert rows["attributes in one change"] == f"{traits.MAX_ATTRIBUTES:,}"
    days, ids = Settings().dedup_window_ms // 86_400_000, Settings().dedup_max_ids
    assert rows["repeats are known"].startswith(f"{days} days and the newest {ids:,} ids")
    assert f"more than {Settings().log_ahead_ms // 86_400_000} days" in PAGE
    assert f"up to {receipt.MAX_AHEAD_MS // 60_000} minutes ahead" in PAGE
