"""The first workspace and its keys: made once, kept in the data folder, the same again at each start."""

from __future__ import annotations

import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TypedDict

import msgspec
from msgspec import Struct

from livesegments.cli.client import Client
from livesegments.cli.problem import Problem
from livesegments.client import keys as api_keys
from livesegments.client import workspaces

FILE = "keys.json"
WORKSPACE = "main"


class Keys(Struct, frozen=True):
    """Secrets in plain text; the services themselves keep only digests of all but the admin key."""

    admin_key: str
    write_key: str = ""
    api_key: str = ""
    erasure_key: str = ""
    secrets_key: str = ""


class First(TypedDict):
    workspace: str
    write_key: str
    api_key: str
    admin_key: str


def kept_keys(data: Path, admin_key: str = "") -> Keys:
    """Those of the data folder; `admin_key`, when given, instead of theirs; a new admin key at first."""
    path = data / FILE
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Keys)
    except FileNotFoundError:
        kept = Keys(secrets.token_urlsafe(32))
    except msgspec.MsgspecError as error:
        raise Problem(f"{path} can't be read: {error}", advice="remove it: new keys will be made") from error
    keys = msgspec.structs.replace(
        kept,
        admin_key=admin_key or kept.admin_key,
        erasure_key=kept.erasure_key or secrets.token_urlsafe(32),
        secrets_key=kept.secrets_key or urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    )
    _keep(data, keys)
    return keys


def first_workspace(api: str, keys: Keys, data: Path) -> First:
    """Makes the workspace and those of its keys that are missing. Raises Problem."""
    with Client(api, keys.admin_key) as client:
        try:
            client.ask(workspaces.create("Main", id=WORKSPACE))
        except Problem as problem:
            if problem.status != 409:  # it is there
                raise
        if not _valid(api, keys.api_key):

            def make(name: str, *scopes: api_keys.Scope) -> str:
                return str(client.ask(api_keys.create(WORKSPACE, name, scopes))["key"])

            keys = Keys(
                keys.admin_key,
                make("first write key", "ingest"),
                make("first key", "read", "write", "operate"),
                keys.erasure_key,
                keys.secrets_key,
            )
            _keep(data, keys)
    return First(
        workspace=WORKSPACE, write_key=keys.write_key, api_key=keys.api_key, admin_key=keys.admin_key
    )


def _valid(api: str, key: str) -> bool:
    if not key:
        return False
    with Client(api, key) as client:
        try:
            client.ask(api_keys.own())  # which a store that is being made anew answers, too
        except Problem as problem:
            if problem.status == 401:
                return False
            raise
    return True


def _keep(data: Path, keys: Keys) -> None:
    """For its owner's eyes only, and never half written."""
    fresh = data / f"{FILE}.new"
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
        file.write(msgspec.json.encode(keys))
    fresh.replace(data / FILE)
