"""What is given for production starts every service there is, with a health check, and its settings are documented."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import copy, copytree, ignore_patterns
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from livesegments.cli import serving
from livesegments.cli.first import Keys
from livesegments.runtime import healthy
from livesegments.runtime.embedded.stack import Stack
from livesegments.runtime.sealing import new_key
from livesegments.runtime.settings import PREFIX, Settings, from_environment

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
SECRETS = {
    "LIVESEGMENTS_ADMIN_KEY": "admin",
    "LIVESEGMENTS_ERASURE_KEY": "erasure",
    "LIVESEGMENTS_SECRETS_KEY": new_key(),
}
PINNED = re.compile(r"^([\w.-]+==\S+)", re.MULTILINE)


def started() -> set[str]:
    """The modules that `livesegments up` starts."""
    wanted = serving.Wanted(Path(), {})
    services = serving._services(wanted, Stack("kafka:9092", "redis://", ()), Keys("a", "b", "c"))
    return {each.module for each in services} | {"livesegments.console.app"}


def test_every_service_is_started_and_says_when_it_is_ready() -> None:
    ours = {
        each["command"][2]: each for each in SERVICES.values() if each.get("command", [""])[0] == "python"
    }
    topics = ours.pop("livesegments.runtime.topics")
    assert topics["restart"] == "no" and find_spec("livesegments.runtime.topics")
    assert ours.keys() == started()
    for each in ours.values():
        port = str(each["environment"]["LIVESEGMENTS_PORT"])
        assert each["healthcheck"]["test"] == ["CMD", "python", "-m", "livesegments.runtime.healthy", port]
        assert all(published.endswith(f":{port}") for published in each.get("ports", ()))
    assert all("healthcheck" in SERVICES[name] for name in ("kafka", "valkey"))
    ports = [each["environment"]["LIVESEGMENTS_PORT"] for each in ours.values()]
    assert len(set(ports)) == len(ports)


def test_it_waits_for_what_is_there_and_keeps_what_it_mounts() -> None:
    for each in SERVICES.values():
        assert set(each.get("depends_on", {})) <= SERVICES.keys()
        assert {volume.partition(":")[0] for volume in each.get("volumes", ())} <= COMPOSE["volumes"].keys()


def test_every_setting_that_is_given_is_one() -> None:
    given = {name for each in SERVICES.values() for name in each.get("environment", {})}
    ours = {name.removeprefix(PREFIX).lower() for name in given if name.startswith(PREFIX)}
    assert ours <= set(Settings.__struct_fields__)


def test_every_setting_is_documented() -> None:
    text = (DEPLOY / "README.md").read_text("utf-8")
    documented: set[str] = set()
    for cell in re.findall(r"^\| (`LIVESEGMENTS_[^|]*) \|", text, re.MULTILINE):
        names = re.findall(r"`(?:LIVESEGMENTS)?_?([A-Z_]+)`", cell)
        documented |= {name.lower() for name in names}
    assert documented == set(Settings.__struct_fields__)


def test_what_an_image_installs_is_what_the_tests_run_with() -> None:
    lock = PINNED.findall((DEPLOY.parent / "requirements.lock").read_text())
    own = PINNED.findall((DEPLOY / "requirements.lock").read_text())
    assert len(own) > 20 and set(own) < set(lock)


def test_a_service_that_is_not_there_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert "usage" in str(healthy.main([]))
    assert "does not answer" in str(healthy.main(["1"]))


def test_an_image_has_all_that_it_copies_and_loads_what_it_builds() -> None:
    image = (DEPLOY / "Dockerfile").read_text()
    debian = re.findall(r"^FROM \S+-slim-(\w+)", image, re.MULTILINE)
    assert len(debian) == 2 and len(set(debian)) == 1, (
        "a kernel of a newer Debian isn't loaded by an older one"
    )
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", image, re.MULTILINE):
        for each in sources.split():
            assert (DEPLOY.parent / each).exists()
            assert any(f"!{each}" == line or f"!{each}".startswith(f"{line}/") for line in let_in), each


def test_an_image_has_all_that_our_wheel_is_built_of(tmp_path: Path) -> None:
    """Its `pip install .`, by what the image has at that point and nothing else."""
    image = (DEPLOY / "Dockerfile").read_text().partition("RUN pip install --no-cache-dir --no-deps .")[0]
    context = tmp_path / "livesegments"
    for sources, target in re.findall(
        r"^COPY (?!--from|services/evaluator/kernel )(.+) (\S+)$", image, re.MULTILINE
    ):
        for each in sources.split():
            source, copied = DEPLOY.parent / each, context / target
            if source.is_dir():
                copytree(source, copied, ignore=ignore_patterns("target", "__pycache__"))
            else:
                copied.mkdir(parents=True, exist_ok=True)
                copy(source, copied)
    hatchling = Path(sys.executable).parent / "hatchling"
    built = subprocess.run(
        [hatchling, "build", "-t", "wheel", "-d", tmp_path],
        check=False,
        cwd=context,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = ZipFile(wheel).namelist()
    modules = {each["command"][2] for each in SERVICES.values() if each.get("image") == "livesegments"}
    assert {f"{module.replace('.', '/')}.py" for module in modules} <= set(names)
    assert len(set(names)) == len(names)


def test_an_image_starts_services_as_up_does_and_mounts_what_it_makes() -> None:
    """What can be checked without Docker: the commands are modules that run, the folder of the data is the user's."""
    image = (DEPLOY / "Dockerfile").read_text()
    user = re.findall(r"^USER (\S+)$", image, re.MULTILINE)
    (volume,) = re.findall(r"^VOLUME (\S+)$", image, re.MULTILINE)
    assert f"install -d -o {user[-1]} {volume}" in image
    for name, each in SERVICES.items():
        if each.get("image") != "livesegments":
            continue
        python, option, module = each["command"]
        spec = find_spec(module)
        assert (python, option) == ("python", "-m") and spec is not None and spec.origin is not None, name
        assert 'if __name__ == "__main__":' in Path(spec.origin).read_text(), module
        assert {mount.partition(":")[2] for mount in each["volumes"]} == {volume}
        settings = {key: str(value) for key, value in each["environment"].items()}
        unset = re.compile(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}")
        given = {
            key: unset.sub(lambda found: found[2] or SECRETS[found[1]], value)
            for key, value in settings.items()
        }
        read = from_environment(given)
        assert read.host == "0.0.0.0" and (name == "console" or read.data == volume)


def test_an_image_lets_nothing_in_that_was_built_here() -> None:
    let_in = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {"**/*.so", "**/target", "**/__pycache__"} <= set(let_in)


def test_the_page_gives_every_secret_that_compose_asks_for() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    page = (DEPLOY / "README.md").read_text("utf-8")
    assert asked == SECRETS.keys() == set(re.findall(r"^(LIVESEGMENTS_\w+)=", page, re.MULTILINE)) & asked
