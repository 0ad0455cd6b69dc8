"""Whatever the bytes: there is a verdict, and nothing is kept that the evaluator can not read."""

import json
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from livesegments.ingest import accept
from livesegments.ingest.packer import packed
from livesegments.ingest.receipt import (
    Accepted,
)  # fmt: skip
from livesegments.wire import pack
from livesegments.wire.rejected import Rejected, encode
from tests.services.ingest.verdicts import RECEIPT, own


@given(st.binary() | st.text().map(str.encode), st.sampled_from(["track", "identify", "page", "group"]))
def test_whatever_the_bytes_it_answers(body: bytes, kind: str) -> None:
    for verdict in (accept.call(kind, body, RECEIPT), accept.inbound({}, body, RECEIPT)):
        if isinstance(verdict, Rejected):
            assert verdict.raw == body and verdict.faults
            encode(verdict)
    accept.batch(body, RECEIPT)
    accept.events(body, RECEIPT)
    accept.workspace_in(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["type", "userId", "event", "traits", "timestamp", "profile", "name", "properties", "score", "tags",
          "consent", "attributes", "lists", "time", "specversion", "groups", "anonymousId", "sentAt"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from(["identify", "track", "page"]))
def test_whatever_the_object_it_answers(item: dict[str, Any], kind: str) -> None:
    body = json.dumps(item).encode()
    for verdict in (accept.call(kind, body, RECEIPT), accept.inbound({}, body, RECEIPT), own(**item)):
        if isinstance(verdict, Accepted):
            assert isinstance(pack.decode(packed([verdict.data])), pack.Packed), "what is kept can be read"
            if verdict.left_out is not None:
                encode(verdict.left_out)


PIECES = [b"1e400", b"-1e999", b"NaN", b"Infinity", rb'"\ud800"', rb'"\udc00\ud800"', b'"\xff"', b"\xed\xa0\x80", b"9" * 30,
          b"[" * 40, b"{" * 3, b"]" * 40, b'"tags":', b'{"lat":1,"lon":2}', b"null", b",", b":", b'"', b"\\"]  # fmt: skip


def test_no_mutated_event_is_kept_that_the_evaluator_can_not_read() -> None:
    whole = [
        b'{"userId":"u","type":"identify","traits":{"a":1,"b":{"c":[1.5,"x"]},"tags":["t"],"score":{"set":1},'
        b'"consent":{"channel":"e","state":"none"}},"timestamp":"2023-01-01T00:00:00Z"}',
        b'{"userId":"u","type":"track","event":"e","properties":{"n":1.5,"l":[[1],{"a":"b"}]},"sentAt":1672531200000}',
        b'{"profile":"u","attributes":{"a":1,"p":{"lat":1,"lon":2}},"lists":{"add":["l"]},"groups":["g"]}',
        b'{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"u","data":{"n":1}}',
    ]
    rng, kept = Random(20_231_114), 0
    for _ in range(20_000):
        body = bytearray(rng.choice(whole))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(body))
            body[at : at + rng.choice([0, 1, 1, 1, 3])] = rng.choice([*PIECES, bytes([rng.randrange(256)])])
        verdict = accept.inbound({}, bytes(body), RECEIPT)
        if isinstance(verdict, Rejected):
            encode(verdict)
            continue
        kept += 1
        read = pack.decode(packed([verdict.data]))
        assert isinstance(read, pack.Packed) and not set(repr(read).split()) & {"nan", "inf", "-inf"}
        if verdict.left_out is not None:
            encode(verdict.left_out)
    assert kept > 1_000
