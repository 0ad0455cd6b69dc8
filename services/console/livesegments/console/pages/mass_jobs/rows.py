"""A mass job as a row: pure."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.client.mass_jobs import MassJob
from livesegments.console import formats

ACTIONS = {"update": "Change", "delete": "Delete", "reset_score": "Reset score"}
KINDS = {"done": "good", "failed": "bad", "running": "warn", "waiting": "warn"}
OPEN = ("waiting", "running")


class Row(Struct, frozen=True):
    """All texts are ready to be shown."""

    id: str
    action: str
    whom: str
    state: str
    kind: str
    is_open: bool
    done: str
    begun: str
    reason: str


def included(job: MassJob) -> list[str]:
    """The ids of the segments that it is about."""
    return list((job.audience or {}).get("include", []))


def row(job: MassJob, names: Mapping[str, str], zone: ZoneInfo) -> Row:
    """`names`: of segments, by id."""
    whom = ", ".join(formats.short(names.get(each, each), 60) for each in included(job))
    return Row(
        id=job.id,
        action=ACTIONS.get(job.action, job.action),
        whom=whom or "a list of ids",
        state=job.state,
        kind=KINDS.get(job.state, ""),
        is_open=job.state in OPEN,
        done=f"{formats.number(job.done)} of {formats.number(job.total)}",
        begun=formats.moment(job.begun_at, zone),
        reason=formats.short(job.reason or ""),
    )
