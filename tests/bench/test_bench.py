"""The benches run: small, and into a page that is thrown away. How fast is not a test's business."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import checking, readme, report, workload
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


def test_one_section_of_the_page_is_replaced() -> None:
    page = "# Figures\n\n## One\n\n1\n\n## Two\n\n2\n"
    found = report.replaced(page, ["## One", "", "11", ""])
    assert found.startswith("# Figures\n\n## One\n\nWritten")
    assert found.endswith("11\n\n## Two\n\n2\n") and "\n1\n" not in found
    assert report.replaced(page, ["## Two", "", "22", ""]).endswith("\n22\n")
