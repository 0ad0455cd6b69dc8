"""The settings of a service, read once from the environment by its composition root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

PREFIX = "LIVESEGMENTS_"
CLIENT_ONLY = frozenset({"api_url", "ingest_url", "api_key", "write_key"})
"""Read by the command line's client alone; a service may find them in its environment."""
DAY_MS = 86_400_000

ClockMode = Literal["wall", "log"]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Field `x_y` is the environment variable `LIVESEGMENTS_X_Y`.

    `log_ahead_ms`: in clock mode `log`, a stamp further beyond the log's newest is refused.
    `unknown_lists`: whether `lists` may name ids of which there is no segment.
    """

    kafka: str = "127.0.0.1:9092"
    redis: str = "redis://127.0.0.1:6379/0"
    host: str = "127.0.0.1"
    port: int = 0
    share_port: bool = False
    """Of the api: several processes listen on the port, and the kernel deals connections out to them."""
    partitions: int = 8
    replication: int = 1
    clock: ClockMode = "wall"
    core: Literal["interpreted", "native"] = "native"
    """Of the evaluator: whether records go to the native kernel, as far as it was built and can do them."""
    log_ahead_ms: int = 366 * DAY_MS
    unknown_lists: Literal["refuse", "accept"] = "refuse"
    data: str = ".livesegments"
    archive: str = ""
    """A folder or a URL (`s3://…`); by default the folder `archive` in `data`."""
    archive_after_s: float = 30.0
    archive_after_mb: int = 16
    archive_grace_s: float = 7 * 86_400
    history_days: int = 0
    """So many days of events the archive keeps of a workspace that doesn't say; 0: for ever."""
    exports: str = ""
    """Where files of exports are: a folder or a URL, as for the archive; by default the folder `exports` in
    `data`. Processes of the api on several machines need one that they share."""
    exports_kept_s: Annotated[float, Meta(ge=1)] = 86_400.0
    exports_mb: Annotated[int, Meta(ge=1)] = 4_096
    """One export's file has at most so many MiB."""
    imports: str = ""
    """Where files that are imported are, until they are; as `exports`, by default the folder `imports`."""
    imports_mb: Annotated[int, Meta(ge=1)] = 256
    """One imported file has at most so many MiB."""
    audit_kept: Annotated[int, Meta(ge=100, le=100_000)] = 10_000
    """So many entries of its audit log a workspace keeps."""
    audit_days: Annotated[int, Meta(ge=1)] = 400
    """No entry is kept for longer."""
    checkpoint_every_s: float = 600.0
    """A partition's states are written beside the archive at this interval; 0: never."""
    events_retention_s: Annotated[int, Meta(ge=0)] = 0
    """How long the broker keeps topic `events`, where it is made here; 0: for ever."""
    inbound_retention_s: Annotated[int, Meta(ge=1)] = 7 * 86_400
    rejected_retention_s: Annotated[int, Meta(ge=1)] = 7 * 86_400
    audits_per_s: float = 1.0
    recompile_s: float = 60.0
    """Definitions that can't be compiled are tried again at this interval."""
    admin_key: str = ""
    erase_within_s: float = 3_600.0
    """An erasure is done in all files at most this long after it was asked for."""
    erasure_key: str = ""
    """The secret under which the ids of erased profiles are kept as digests: the same for all services."""
    erasure_rewrites_aof: bool = False
    """Whether Redis is asked after an erasure to write its append-only file anew: that has what was taken
    out."""
    secrets_key: str = ""
    """Of the api and notify: the key that the secrets of webhooks are sealed under, and after a comma those
    before it; see `runtime.sealing`."""
    dedup_window_ms: int = 7 * DAY_MS
    dedup_max_ids: int = 1_000
    cache_mb: int = 128
    commits_in_flight: int = 4
    """Of one partition, with the interpreted core."""
    unowned_ms: int = 30_000
    quota_events_per_s: int = 0
    """Of each workspace that has no quota of its own; 0: no quota."""
    quota_segments: int = 20_000
    quota_profiles: int = 0
    quota_names: int = 500
    ingest_processes: Annotated[int, Meta(ge=1)] = 1
    """Each of so many ingest processes lets its share of a quota of events in."""
    notify_hosts: str = ""
    """Hosts, with commas between, that webhooks may go to although their addresses are not public."""
    console_api_url: str = "http://127.0.0.1:8002"
    """Of the console: the api's address."""
    console_url: str = ""
    """Of the console: the address that browsers have, where that is another than its own (`https://…`
    behind a proxy). Cookies are Secure where it begins with https."""
    console_idle_s: Annotated[int, Meta(ge=60)] = 3_600
    """Somebody who does nothing for so long is signed out of the console."""
    console_session_s: Annotated[int, Meta(ge=60)] = 43_200
    """Nobody stays signed in to the console for longer."""
    sources: str = ""
    """A file (TOML) of the databases and files that lists may be kept equal to (`docs/external-lists.md`)."""
    source_hosts: str = ""
    """Hosts, with commas between, that lists may be read from although their addresses are not public."""
    source_files: str = ""
    """The folder of the files that lists may be read from; by default none may."""
    source_rows: Annotated[int, Meta(ge=1)] = 1_000_000
    """The most rows that are read for one list."""
    audience_test: Annotated[int, Meta(ge=1)] = 100
    """The most profiles of a test send."""
    audience_standard: Annotated[int, Meta(ge=1)] = 100_000
    """The most profiles of a standard send; more is a large one."""
    audience_large: Annotated[int, Meta(ge=1)] = 1_000_000
    """The most profiles of one large send, and of a part; more is better split."""
    frozen_audiences: Annotated[int, Meta(ge=1)] = 20
    """The most frozen audiences of a workspace."""
    frozen_profiles: Annotated[int, Meta(ge=1)] = 5_000_000
    """The most profiles of one frozen audience."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Raises ValueError naming the variable that is unknown or wrong."""
    ours = {k[len(PREFIX) :].lower(): v for k, v in environment.items() if k.startswith(PREFIX)}
    given = {name: value for name, value in ours.items() if name not in CLIENT_ONLY}
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"environment {PREFIX}*: {error}") from error
