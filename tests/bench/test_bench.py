"""The benches run: small, and into a page that is thrown away. How fast is not a test's business."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import chapters, checking, readme, report, workload
from bench.__main__ import app
from livesegments.core.check import check

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("count", [10, 1_000])
def test_every_definition_of_the_workload_is_sound(count: int) -> None:
    definitions = workload.definitions(count)
    assert len(definitions) == count
    for name, definition in definitions.items():
        assert check(definition, others=dict.fromkeys(definitions), segment_id=name)[1] == [], name


def test_the_workload_is_the_same_each_time() -> None:
    assert list(workload.events(100)) == list(workload.events(100))


def test_the_worst_definitions_are_within_the_bounds_of_a_body() -> None:
    costs = checking.worst()
    assert {cost.faults == 0 for cost in costs} == {True, False}


def test_the_readme_tells_the_figures_of_the_results() -> None:
    page, told = (ROOT / "bench/RESULTS.md").read_text(), (ROOT / "README.md").read_text()
    assert readme.figures(page) in told
    assert readme.inserted(told, page) == told


def test_the_core_bench_tells_its_figures() -> None:
    command = [sys.executable, "-m", "bench", "core", "--segments", "10", "--events", "500"]
    told = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True)
    assert "events_per_s" in told.stdout and "on_event" in told.stdout


def test_a_chapter_is_measured_anew_without_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        report.page({"Throughput": "as before", "The core alone": "older"}, ["Throughput", "The core alone"])
    )
    command = [sys.executable, "-m", "bench", "--quick", "--only", "core", "--out", str(page)]
    subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, check=True)
    found = report.sections(page.read_text())
    assert list(found) == ["Throughput", "The core alone"]
    assert found["Throughput"] == "as before"
    assert "older" not in found["The core alone"] and "| 1,000 |" in found["The core alone"]


def test_a_chapter_that_fails_takes_nothing_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(scale: chapters.Scale) -> list[str]:
        raise TimeoutError

    async def sound(scale: chapters.Scale) -> list[str]:
        return ["9 events/s"]

    made = (chapters.Chapter("one", "One", broken), chapters.Chapter("two", "Two", sound))
    monkeypatch.setattr("bench.__main__.CHAPTERS", made)
    page = tmp_path / "page.md"
    page.write_text(report.page({"One": "as before"}, ["One"]))
    told = CliRunner().invoke(app, ["--out", str(page)])
    assert told.exit_code == 1 and "one" in told.output
    found = report.sections(page.read_text())
    assert found["One"] == "as before" and found["Two"].endswith("9 events/s")


def test_every_chapter_has_its_own_name_and_heading() -> None:
    names = [(each.name, each.heading) for each in chapters.CHAPTERS]
    assert all(len(set(column)) == len(names) for column in zip(*names, strict=True))
