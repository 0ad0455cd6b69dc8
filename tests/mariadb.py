"""A MariaDB of Debian's, in a folder of its own on a free port, which ends with the test session."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pymysql
import pytest
from msgspec import Struct

from livesegments.runtime.embedded.ports import free_port
from tests.tls import certificate

SERVER = shutil.which("mariadbd", path="/usr/sbin:/usr/bin")
INSTALL = shutil.which("mariadb-install-db")
PASSWORD = "pass-of-the-reader"
START_S = 60
LOOK_S = 0.05


class MariaDB(Struct):
    """`authority`: the file of its certificate, which is 127.0.0.1's."""

    port: int
    socket: Path
    authority: Path

    def run(self, *statements: str) -> None:
        """As its owner."""
        with pymysql.connect(user="root", unix_socket=str(self.socket), autocommit=True) as connection:
            for each in statements:
                connection.cursor().execute(each)


@contextmanager
def running() -> Iterator[MariaDB]:
    """Skips the test where there is none."""
    if SERVER is None or INSTALL is None:
        pytest.skip("there is no MariaDB (Debian: apt install mariadb-server)")
    folder = Path(tempfile.mkdtemp(prefix="livesegments-my-"))
    files, port, socket = certificate(folder), free_port(), folder / "socket"
    data = [
        "--no-defaults",
        f"--user={getpass.getuser()}",
        f"--datadir={folder / 'data'}",
        "--skip-name-resolve",
    ]
    try:
        install = [INSTALL, *data, "--auth-root-authentication-method=normal", "--skip-test-db"]
        ran = subprocess.run(install, cwd="/", capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        command = [
            *(SERVER, *data, f"--port={port}", f"--socket={socket}", f"--pid-file={folder / 'pid'}"),
            *("--bind-address=127.0.0.1", f"--ssl-cert={files[0]}", f"--ssl-key={files[1]}"),
        ]
        with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd="/", stderr=log) as server:
            try:
                found = MariaDB(port, socket, files[0])
                until = time.monotonic() + START_S
                while not _answers(found):
                    late = server.poll() is not None or time.monotonic() > until
                    assert not late, (folder / "log").read_text()
                    time.sleep(LOOK_S)
                yield found
            finally:
                server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(server: MariaDB) -> bool:
    with suppress(pymysql.Error):
        server.run("SELECT 1")
        return True
    return False
