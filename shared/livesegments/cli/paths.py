"""Paths of the api, made of ids that may hold anything: `.`, `..`, `/`, spaces, emoji, `%`."""

from __future__ import annotations

from urllib.parse import quote

from livesegments.cli.problem import MISSING, Problem

REJECTED = "/v1/rejected"

AUDIT = "/v1/audit"


def part(id_: str) -> str:
    """An id as one part of a path. Dots are escaped too: else `..` would lead to another path.

    Raises Problem for an empty id.
    """
    if not id_:
        raise Problem("the id is empty", advice="give an id of at least one character")
    return quote(id_, safe="", errors="surrogateescape").replace(".", "%2E")


def segment(id_: str) -> str:
    return f"/v1/segments/{_named('segment', id_)}"


VALUE_LISTS = "/v1/value-lists"


def value_list(id_: str) -> str:
    return f"{VALUE_LISTS}/{_named('value list', id_)}"


TEMPLATES = "/v1/templates"


def template(id_: str) -> str:
    return f"{TEMPLATES}/{_named('template', id_)}"


COMPUTED = "/v1/computed-attributes"


def computed(id_: str) -> str:
    return f"{COMPUTED}/{_named('computed attribute', id_)}"


SUBSCRIPTIONS = "/v1/subscriptions"


def subscription(id_: str) -> str:
    return f"{SUBSCRIPTIONS}/{_named('subscription', id_)}"


def exports(segment_id: str) -> str:
    return f"{segment(segment_id)}/exports"


def export(segment_id: str, id_: str) -> str:
    return f"{exports(segment_id)}/{_named('export', id_)}"


MASS_JOBS = "/v1/mass-jobs"


def mass_job(id_: str) -> str:
    return f"{MASS_JOBS}/{_named('job', id_)}"


IMPORTS = "/v1/imports"


def one_import(id_: str) -> str:
    return f"{IMPORTS}/{_named('import', id_)}"


RULES = "/v1/segment-rules"


def rule(id_: str) -> str:
    return f"{RULES}/{_named('rule', id_)}"


SOURCES = "/v1/sources"


def source(segment_id: str) -> str:
    return f"{segment(segment_id)}/source"


FIELDS = "/v1/fields"


def field(name: str) -> str:
    return f"{FIELDS}/{part(name)}"


def membership(segment_id: str, profile_id: str) -> str:
    return f"{segment(segment_id)}/members/{part(profile_id)}"


def explanation(segment_id: str, profile_id: str) -> str:
    return f"{segment(segment_id)}/explanations/{part(profile_id)}"


def profile(id_: str) -> str:
    return f"/v1/profiles/{part(id_)}"


def refusal(id_: str) -> str:
    return f"{REJECTED}/{part(id_)}"


def timeline(profile_id: str) -> str:
    return f"/v1/timelines/{part(profile_id)}"


ERASURES = "/v1/erasures"


def erasure(id_: str) -> str:
    return f"{ERASURES}/{_named('erasure', id_)}"


def workspace(id_: str) -> str:
    return f"/v1/workspaces/{_named('workspace', id_)}"


def key(workspace_id: str, key_id: str) -> str:
    return f"{workspace(workspace_id)}/keys/{_named('key', key_id)}"


def _named(what: str, id_: str) -> str:
    """These ids never hold a slash: one that does is of nothing. Raises Problem."""
    if "/" in id_:
        raise Problem(f"There is no {what} '{id_}' here.", advice=MISSING[what], status=404)
    return part(id_)
