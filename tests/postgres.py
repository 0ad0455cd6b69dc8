"""A PostgreSQL of Debian's, in a folder of its own on a free port, which ends with the test session."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pg8000.dbapi
import pytest
from msgspec import Struct

from livesegments.runtime.embedded.ports import free_port
from tests.tls import certificate

BIN = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "pass-of-the-reader"
START_S = 60


class Postgres(Struct):
    """It listens on 127.0.0.1 and 127.0.0.2; `authority` is the file of its certificate, which is 127.0.0.1's."""

    port: int
    authority: Path

    def run(self, *statements: str) -> None:
        """As its owner."""
        connection = pg8000.dbapi.connect(
            "owner", host="127.0.0.1", port=self.port, database="postgres", password=PASSWORD
        )
        try:
            for each in statements:
                connection.cursor().execute(each)
            connection.commit()
        finally:
            connection.close()


@contextmanager
def running() -> Iterator[Postgres]:
    """Skips the test where there is none."""
    if not (BIN / "initdb").exists():
        pytest.skip(f"there is no PostgreSQL 15 in {BIN} (Debian: apt install postgresql-15)")
    as_user: list[str] = []
    if os.geteuid() == 0:  # it refuses to be run by root
        if shutil.which("runuser") is None or subprocess.call(["id", "postgres"], stdout=subprocess.DEVNULL):
            pytest.skip("PostgreSQL refuses root, and there is no user `postgres`")
        as_user = ["runuser", "-u", "postgres", "--"]
    folder = Path(tempfile.mkdtemp(prefix="livesegments-pg-"))
    files = certificate(folder)
    data, word, port = folder / "data", folder / "word", free_port()
    word.write_text(PASSWORD)
    if as_user:
        for each in (folder, word, *files):
            shutil.chown(each, "postgres")
    ctl = [*as_user, str(BIN / "pg_ctl"), "-D", str(data)]
    try:
        _done(
            [*as_user, str(BIN / "initdb"), "-D", str(data), "-U", "owner", "-A", "scram-sha-256",
             "--pwfile", str(word), "-E", "UTF8", "--no-sync"]
        )  # fmt: skip
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1,127.0.0.2 -c fsync=off"
        options += f" -c ssl=on -c ssl_cert_file={files[0]} -c ssl_key_file={files[1]}"
        _done([*ctl, "-w", "-t", str(START_S), "-o", options, "-l", str(folder / "log"), "start"])
        try:
            yield Postgres(port, files[0])
        finally:
            _done([*ctl, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _done(command: list[str]) -> None:
    ran = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
