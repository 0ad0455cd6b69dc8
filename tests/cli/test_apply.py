"""`livesegments pull` and `apply` against an api that answers as a test says."""

import json
from pathlib import Path
from typing import Any

import pytest

from livesegments.cli import folder
from livesegments.cli.problem import Problem
from tests.cli.run import Answers, run, told
from tests.cli.server import Answer

TAG = {"type": "tag", "name": "t"}
SEGMENT: dict[str, Any] = {
    "id": "a", "type": "dynamic", "name": "A", "description": "", "tags": [], "folder": "", "topics": ["n"], "tests": [],
    "definition": TAG, "count": 3, "state": "ready", "version": 4,
}  # fmt: skip
LISTED = "GET /v1/segments"
CHECK = "POST /v1/segments/check"
PLANNED = {"entering": 2, "leaving": 1, "plan": "p4"}


def refer(id_: str) -> dict[str, Any]:
    return {"name": id_.upper(), "definition": {"type": "segment", "id": id_}}


def put(place: Path, **bodies: Any) -> str:
    for name, body in bodies.items():
        (place / f"{name}.json").write_text(json.dumps(body))
    return str(place)


class Api(Answers):
    """Lists its segments but for the archived ones, and checks everything as an edit of what it has."""

    def __init__(self, *segments: Any, **by: Any) -> None:
        super().__init__(**by)
        self.segments = segments

    def __call__(self, request: Any) -> Answer:
        answer = super().__call__(request)
        path, _, query = request.path.partition("?")
        if f"{request.method} {path}" == LISTED:
            archived = "state=archived" in query
            found = [each for each in self.segments if (each["state"] == "archived") == archived]
            return Answer(200, {"segments": found, "next_cursor": None})
        if f"{request.method} {path}" == CHECK:
            ids = {each["id"] for each in self.segments}
            results = [
                {"id": each["id"], "action": "edit" if each["id"] in ids else "create", "errors": []}
                for each in request.body["segments"]
            ]
            return Answer(200, {"results": results})
        return answer


async def test_what_is_pulled_is_what_is_applied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    static = {**SEGMENT, "id": "s", "type": "static", "definition": None, "topics": []}
    aside = {**SEGMENT, "id": "z", "state": "archived"}
    api = Api(SEGMENT, static, aside)
    put(tmp_path, gone={})
    assert await run(api, "pull", str(tmp_path)) == 0
    assert json.loads((tmp_path / "a.json").read_text()) == {
        "id": "a", "name": "A", "topics": ["n"], "definition": TAG,
    }  # fmt: skip
    assert json.loads((tmp_path / "s.json").read_text()) == {"id": "s", "name": "A", "type": "static"}
    out, err = told(capsys)
    assert out.count("written") == 2 and "gone.json has no segment" in err
    await run(api, "pull", str(tmp_path), "--delete", "--json")
    lines = [json.loads(line) for line in told(capsys)[0].splitlines()]
    assert [(each["id"], each["what"]) for each in lines] == [
        ("a", "unchanged"),
        ("s", "unchanged"),
        ("gone", "deleted"),
    ]
    assert await run(api, "apply", str(tmp_path), "--delete") == 0
    assert "nothing to do" in told(capsys)[1]
    assert api.paths("POST") == []


async def test_a_plan_is_shown_and_only_that_is_applied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = {**SEGMENT, "id": "old", "name": "Old", "version": 7}
    by = {"POST /v1/segments/a/plan": PLANNED, "POST /v1/segments/preview": {"count": 5}}
    api = Api(SEGMENT, old, **by, POST=SEGMENT, PATCH=SEGMENT, DELETE=None)
    place = put(tmp_path, a={"name": "A", "definition": {**TAG, "name": "u"}}, b=refer("c"), c=refer("a"))
    assert await run(api, "apply", place, "--dry-run", "--json") == 3
    plan = [json.loads(line) for line in told(capsys)[0].splitlines()]
    assert [(each["action"], each["id"], each["entering"], each["leaving"]) for each in plan] == [
        ("change", "a", 2, 1), ("create", "c", 5, None), ("create", "b", 5, None),
    ]  # fmt: skip
    assert plan[0]["fields"] == ["definition", "topics"] and not any(each["applied"] for each in plan)
    api.asked.clear()
    assert await run(api, "apply", place, "--yes", "--delete") == 0
    out = told(capsys)[0]
    assert "applied: 2 created, 1 changed, 1 deleted" in out and "change definition, topics" in out
    edit = next(each for each in api.asked if each.method == "PATCH")
    assert (edit.headers["if-match"], edit.headers["if-plan-match"]) == ('"4"', "p4")
    assert edit.body == {"definition": {**TAG, "name": "u"}, "topics": []}
    last = api.asked[-1]
    assert (last.method, last.path, last.headers["if-match"]) == ("DELETE", "/v1/segments/old", '"7"')


async def test_what_was_edited_since_stops_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = Answer(412, {"title": "T", "status": 412, "detail": "edited since"})
    api = Api(SEGMENT, PATCH=stale, POST=SEGMENT, **{"POST /v1/segments/preview": {"count": 0}})
    place = put(tmp_path, a={"name": "B", "definition": TAG, "topics": ["n"]}, zz=refer("q"))
    with pytest.raises(Problem) as raised:
        await run(api, "apply", place, "--yes")
    assert raised.value.message == "change a: edited since"
    assert api.paths("DELETE") == []


@pytest.mark.parametrize(
    ("bodies", "said"),
    [
        ({"a": [1]}, "is not one segment"),
        ({"a": {"id": "x"}, "b": {"id": "x"}}, "both have the segment 'x'"),
        ({"a": {"id": 7}}, "an id that is no text"),
        ({"z": {"name": "Z", "definition": TAG}}, "archived segments have files: z"),
    ],
)
async def test_a_folder_that_is_odd_is_refused_before_anything_is_done(
    tmp_path: Path, bodies: Any, said: str
) -> None:
    api = Api({**SEGMENT, "id": "z", "state": "archived"})
    with pytest.raises(Problem, match=said):
        await run(api, "apply", put(tmp_path, **bodies), "--yes")
    assert api.paths("POST") == []


def test_what_others_refer_to_comes_first_and_a_circle_stays_as_it_is() -> None:
    heard = {"definition": {"type": "event", "name": "$segment_entered"}}
    assert folder.ordered({"w": heard, "x": refer("y"), "y": refer("z"), "z": {}})[-1] == "w"
    assert folder.ordered({"x": refer("y"), "y": refer("z"), "z": {}}) == ["z", "y", "x"]
    assert folder.ordered({"x": refer("y"), "y": refer("x")}) == ["x", "y"]
