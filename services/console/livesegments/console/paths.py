"""Where pages are. Ids that came in are parts of a path, never more: `segment("../x")` stays below
`/segments`."""

from __future__ import annotations

from urllib.parse import urlencode

from livesegments.client.request import part

SEGMENTS = "/segments"
NEW_SEGMENT = "/segments/new"
GALLERY = "/gallery"
BY_ATTRIBUTE = "/by-attribute"
WORKSPACES = "/workspaces"
ALL_SEGMENTS = "/workspaces/segments"
PROFILES = "/profiles"
FEED = "/feed"
SUBSCRIPTIONS = "/subscriptions"
FIELDS = "/fields"
CONSENT = "/consent"
REJECTED = "/rejected"
IMPORTS = "/imports"
MASS_JOBS = "/mass-jobs"
SOURCES = "/sources"
AUDIT = "/audit"
HEALTH = "/health"


def segment(id_: str, tab: str = "", **query: str) -> str:
    return with_query(f"{SEGMENTS}/{part(id_)}{f'/{tab}' if tab else ''}", **query)


def edit_segment(id_: str) -> str:
    return f"{SEGMENTS}/{part(id_)}/edit"


def export_file(segment: str, export: str) -> str:
    return f"/files/{part(segment)}/{part(export)}"


def keys(workspace: str) -> str:
    return f"{WORKSPACES}/{part(workspace)}/keys"


def one_import(id_: str) -> str:
    return f"{IMPORTS}/{part(id_)}"


def source(segment: str) -> str:
    return f"{SOURCES}/{part(segment)}"


def edit_source(segment: str) -> str:
    return f"{SOURCES}/{part(segment)}/edit"


def refused_file(id_: str) -> str:
    return f"/files/refused/{part(id_)}"


def profile(id_: str, **query: str) -> str:
    return with_query(f"{PROFILES}/{part(id_, slashed=True)}", **query)


def subscription(id_: str) -> str:
    return f"{SUBSCRIPTIONS}/{part(id_)}"


def with_query(path: str, **query: str) -> str:
    """Leaves out what is empty."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
