"""Tables for people: times in the workspace's zone, which is named; empty lists; the clock."""

from typing import Any

import msgspec
import pytest

from livesegments.cli.clock import behind
from livesegments.cli.problem import Problem
from tests.cli.run import ZONE, Answers, run, told

AT = "2026-06-30T22:30:00.000Z"
SEGMENT: dict[str, Any] = {
    "id": "a", "type": "dynamic", "name": "A", "description": "", "tags": [], "folder": "", "topics": [],
    "definition": None, "count": 1,
    "state": "ready", "progress": {"done": 1, "total": 1}, "version": 1, "definition_version": 1,
    "created_at": AT, "updated_at": AT, "complete_since": AT,
}  # fmt: skip
PROFILE = {
    "attributes": {"plan": "pro"},
    "tags": [],
    "consent": [],
    "segments": [{"id": "a", "name": "A", "entered_at": AT, "valid_until": None}],
}
KEY = {"id": "k1", "name": "K", "scopes": ["read", "write"], "created_at": AT}


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["segments", "list"], {"segments": [SEGMENT], "next_cursor": None}),
        (["segments", "show", "a"], SEGMENT),
        (["profile", "p"], PROFILE),
        (["keys", "list", "-w", "w"], {"keys": [KEY], **ZONE}),  # of the workspace, too
    ],
    ids=["segments list", "segments show", "profile", "keys list"],
)
async def test_times_are_of_the_workspaces_zone_which_is_named(
    arguments: list[str], answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(Answers(GET=answer), *arguments)
    out = told(capsys)[0]
    assert "2026-07-01 00:30:00" in out and "(Europe/Berlin)" in out


async def test_workspaces_are_listed_shown_created_and_edited(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(
        **{
            "GET /v1/workspaces": {"workspaces": [ZONE], "next_cursor": None},
            "GET /v1/workspaces/w": {**ZONE, "version": 4},
            "POST": ZONE,
            "PATCH": {**ZONE, "name": "V"},
        }
    )
    await run(answers, "workspaces", "list")
    await run(answers, "workspaces", "show", "w")
    await run(answers, "workspaces", "create", "W", "--id", "w", "-z", "Europe/Berlin")
    await run(answers, "workspaces", "edit", "w", "--name", "V")
    await run(answers, "workspaces", "edit", "w", "--events-per-s", "50", "--profiles", "0", "--names", "9")
    out = told(capsys)[0]
    assert out.count("2026-01-01 01:00:00 (Europe/Berlin)") == 2
    assert "created w (W, Europe/Berlin)" in out and "edited w (V, Europe/Berlin)" in out
    sent = [each.body for each in answers.asked if each.method in ("POST", "PATCH")]
    quotas = {"quotas": {"events_per_s": 50, "profiles": None, "names": 9}}
    assert sent[0].items() >= {"name": "W", "id": "w", "timezone": "Europe/Berlin"}.items()
    assert sent[1:] == [{"name": "V"}, quotas]
    assert [each.headers.get("if-match") for each in answers.asked if each.method == "PATCH"] == ['"4"'] * 2
    assert "100 events/s, 20,000 segments, 500 names" in out
    with pytest.raises(Problem, match="nothing to change"):
        await run(answers, "workspaces", "edit", "w")


async def test_a_key_is_created_and_its_secret_printed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(POST={**KEY, "key": "secret"})
    await run(answers, "keys", "create", "K", "-s", "read", "-s", "write", "-w", "w")
    assert told(capsys)[0] == "secret\n"
    assert answers.asked[0].body == {"name": "K", "scopes": ["read", "write"]}


async def test_a_count_is_a_number_alone(capsys: pytest.CaptureFixture[str]) -> None:
    await run(Answers(GET={"count": 1234567}), "count", "a")
    assert told(capsys)[0] == "1234567\n"


async def test_the_clock_is_not_moved_back(capsys: pytest.CaptureFixture[str]) -> None:
    partition = {"partition": 0, "end": 0, "applied": 0, "outbox": 0, "revision": 0, "clock": AT}
    lag = {"partitions": [partition], "inbound": 0, "revision": 0}
    with pytest.raises(Problem, match=f"stood at {AT} or later already"):
        await run(Answers(GET=lag, POST={"to": "2026-06-30T22:29:59.999Z"}), "clock", "x")
    await run(Answers(GET=lag, POST={"to": AT}), "clock", "x")
    assert "stands at 2026-06-30 22:30:00 UTC or later" in told(capsys)[0]


def test_a_clock_that_moves_one_partition_is_no_failure() -> None:
    behind("2026-01-01T00:00:00.000Z", [AT, None])
    behind("2026-01-01T00:00:00.000Z", [AT, "2025-01-01T00:00:00.000Z"])


PATHS = [
    {"name": "total", "types": ["number"], "last_seen": AT, "values": [7, "7"]},
    {"name": "sku", "types": ["string", "list"], "last_seen": AT, "values": list("abcdefgh")},
]
NAMES = {
    "events": [
        {"name": "order [x]", "derived": False, "last_seen": AT, "complete": False, "properties": PATHS},
        {"name": "$tag_added", "derived": True, "last_seen": None, "complete": True, "properties": []},
    ],
    "attributes": [{"name": "plan", "types": ["string"], "last_seen": AT, "values": ["pro"]}],
    "attributes_complete": True,
}


async def test_names_are_shown_with_types_values_and_times(capsys: pytest.CaptureFixture[str]) -> None:
    await run(answers := Answers(GET=NAMES), "names", "o")
    out, err = told(capsys)
    assert answers.paths("GET") == ["/v1/names?search=o"]
    for part in (
        "order [x]",
        "total",
        "string, list",
        '7, "7"',
        '"f", …',
        "plan",
        '"pro"',
        "2026-07-01 00:30:00",
    ):
        assert part in out, part
    assert "(Europe/Berlin)" in out and "$tag_added" not in out and "order [x]" in err
    await run(Answers(GET=NAMES), "names", "--all")
    assert "$tag_added" in told(capsys)[0]


async def test_where_nothing_was_seen_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = {"events": [], "attributes": [], "attributes_complete": True}
    await run(Answers(GET=nothing), "names")
    await run(Answers(GET=nothing), "names", "zz")
    err = told(capsys)[1]
    assert "nothing was seen yet" in err and "has 'zz' in its name" in err


@pytest.mark.parametrize(
    ("arguments", "answer", "said"),
    [
        (["segments", "list"], {"segments": []}, "`livesegments segments create -f FILE` makes one"),
        (["segments", "list", "--search", "x"], {"segments": []}, "no segment fits: search 'x'"),
        (
            ["members", "a"],
            {"members": []},
            "`livesegments explain a PROFILE` says why a profile is not in it",
        ),
        (
            ["members", "a", "--as-of", "2026-01-01T00:00:00Z"],
            {"members": []},
            "nobody fulfilled a's definition",
        ),
        (["rejected"], {"rejected": []}, "nothing was refused"),
        (["rejected", "--all", "--code", "bad_date"], {"rejected": []}, "fits --code: without it"),
        (["timeline", "p"], {"moments": []}, "nothing of p is in the archive"),
        (["timeline", "p", "--event", "e"], {"moments": []}, "p has no event 'e': `livesegments timeline p`"),
        (
            ["keys", "list", "-w", "w"],
            {"keys": []},
            "`livesegments keys create NAME -s SCOPE -w w` makes one",
        ),
        (["workspaces", "list"], {"workspaces": []}, "`livesegments workspaces create NAME` makes one"),
        (["profile", "p"], PROFILE | {"segments": []}, "`livesegments explain SEGMENT p` says why it is not"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_where_a_list_is_empty_that_is_said_and_what_to_do_next(
    arguments: list[str], answer: Any, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(Answers(GET=answer | {"next_cursor": None}), *arguments)
    assert said in " ".join(told(capsys)[1].split())
    if arguments[0] != "profile":
        await run(Answers(GET=answer | {"next_cursor": None}), *arguments, "--json")
        assert told(capsys)[0] == ""


@pytest.mark.parametrize(("given", "sent"), [("365", 365), ("0", 0), ("default", None)])
async def test_how_long_events_are_kept_is_sent_as_it_was_given(given: str, sent: int | None) -> None:
    answers = Answers(GET={**ZONE, "version": 1}, PATCH=ZONE)
    await run(answers, "workspaces", "edit", "w", "--history-days", given)
    (patch,) = [each for each in answers.asked if each.method == "PATCH"]
    assert patch.body == {"history_days": sent}
    with pytest.raises(Problem, match="neither a number of days nor `default`"):
        await run(answers, "workspaces", "edit", "w", "--history-days", "long")


async def test_what_is_counted_short_is_said_of_the_past(
    capsys: pytest.CaptureFixture[str],
) -> None:
    short = {"pointer": "/definition", "code": "history_short", "message": "events before T are not kept"}
    page = {"members": ["ann"], "next_cursor": None, "warnings": [short]}
    await run(Answers(GET=page), "members", "a", "--as-of", "2026-01-01T00:00:00Z")
    out, err = told(capsys)
    assert (
        out == "ann\n"
        and "warning: /definition events before T are not kept [history_short]" in err.replace("  ", " ")
    )


async def test_members_have_a_column_for_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"profile": "ann", "fields": {"city": "Kyiv", "computed:spent": 312.5}},
        {"profile": "bob", "fields": {}},
    ]
    late = {
        "pointer": "query: fields",
        "code": "building",
        "message": "computed:spent is still given its history",
    }
    page = {"members": ["ann", "bob"], "fields": rows, "next_cursor": None, "warnings": [late]}
    answers, asked = Answers(GET=page), ("members", "a", "--field", "city", "--field", "computed:spent")
    await run(answers, *asked)
    out, err = told(capsys)
    assert [line.split() for line in out.splitlines()] == [
        ["profile", "city", "computed:spent"], ["ann", "Kyiv", "312.5"], ["bob", "–", "–"],
    ]  # fmt: skip
    assert (
        answers.asked[0].path.endswith("?fields=city&fields=computed%3Aspent&limit=101")
        and "[building]" in err
    )
    await run(Answers(GET=page), *asked, "--json")
    assert [msgspec.json.decode(line) for line in told(capsys)[0].splitlines()] == rows
    with pytest.raises(Problem, match="not of those at --as-of"):
        await run(Answers(GET=page), *asked, "--as-of", "2026-01-01T00:00:00Z")
