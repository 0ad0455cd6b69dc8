"""What the deployment lets lists be read from: databases and files, in a file of the setting `sources`.

    [crm]
    url = "postgresql://reader@db.example.com/crm"
    password_file = "/run/secrets/crm"      # or password_env = "CRM_PASSWORD"
    workspaces = ["shop"]                   # or ["*"]
    tls_ca = "/etc/ssl/our-own.pem"         # the authority, where it isn't one that the system knows
    tls = false                             # true by default, with the server's name checked

A workspace names `crm`, and never sees more of it than that. The file is read at each use, so a new password
or connection holds at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

SCHEMES = ("postgresql", "mysql", "sqlite", "https", "http")


class Broken(Exception):
    """A connection can't be used; the message says why, and nothing that is secret."""


class Connection(Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    workspaces: tuple[str, ...]
    password_env: str = ""
    password_file: str = ""
    tls: bool = True
    tls_ca: str = ""

    @property
    def scheme(self) -> str:
        return self.url.partition(":")[0]

    @property
    def is_file(self) -> bool:
        return self.scheme in ("https", "http")


class Connections:
    """`environment`: where passwords may be."""

    def __init__(self, file: str, environment: Mapping[str, str]) -> None:
        self._file, self._environment = file, environment

    def of(self, workspace: str) -> dict[str, Connection]:
        """Those that a workspace may name. Raises Broken."""
        if not self._file:
            return {}
        try:
            found = msgspec.convert(tomllib.loads(Path(self._file).read_text()), dict[str, Connection])
        except (OSError, ValueError) as error:
            raise Broken(
                "the file of connections can't be read: its operator finds the reason in the log"
            ) from error
        return {
            name: each
            for name, each in found.items()
            if each.scheme in SCHEMES and ("*" in each.workspaces or workspace in each.workspaces)
        }

    def one(self, workspace: str, name: str) -> Connection:
        """Raises Broken."""
        found = self.of(workspace).get(name)
        if found is None:
            told = "the file that LIVESEGMENTS_SOURCES of the api names has them"
            raise Broken(f"there is no connection '{name}' that this workspace may use: {told}")
        return found

    def password(self, connection: Connection) -> str | None:
        """Raises Broken where it is said to be somewhere, and isn't."""
        if connection.password_env:
            found = self._environment.get(connection.password_env)
            if found is None:
                raise Broken("the password of the connection is not in the environment")
            return found
        if connection.password_file:
            try:
                return Path(connection.password_file).read_text().strip()
            except (OSError, ValueError) as error:
                raise Broken("the file with the connection's password can't be read") from error
        return None
