"""The records of topic `definitions`: everything a workspace has decided, last value per key.

A key is `workspace/ID`, `key/SHA256`, `segment/WORKSPACE/ID`, `version/WORKSPACE/ID/NUMBER`,
`computed/WORKSPACE/ID`, `subscription/WORKSPACE/ID`, `audit/WORKSPACE/ID`,
`field/WORKSPACE/NAME` (the name percent-encoded),
`value_list/WORKSPACE/ID` or
`values/WORKSPACE/DIGEST/PART`; no value deletes it.
The offset of a record is the catalogue's revision: every reader sees the same revisions in the same order.

A value list is cut into parts, because a record has a bound. The parts of one content never change and stand
under its digest; they come before the list and the segments that refer to it. A content that was replaced is
kept for a while, because partitions serve it until its successor has its history.
"""

from __future__ import annotations

from typing import Literal, TypeAlias
from urllib.parse import quote

import msgspec
from msgspec import Struct

from livesegments.core.declared import Declared
from livesegments.core.definition import Computed, Node
from livesegments.core.trial import Trial
from livesegments.wire.audited import Audited
from livesegments.wire.subscription import Subscription
from livesegments.wire.unreadable import Unreadable, reading

Scope = Literal["ingest", "read", "write", "operate", "admin"]
"""`operate` is for operations on all workspaces at once: the clock of mode `log`."""


class Quotas(Struct, frozen=True, omit_defaults=True):
    """The most of a workspace; None leaves it to the services' settings."""

    events_per_s: int | None = None
    segments: int | None = None
    profiles: int | None = None
    names: int | None = None

    def over(self, defaults: Quotas) -> Quotas:
        """These, and the defaults where they say nothing."""
        return Quotas(
            defaults.events_per_s if self.events_per_s is None else self.events_per_s,
            defaults.segments if self.segments is None else self.segments,
            defaults.profiles if self.profiles is None else self.profiles,
            defaults.names if self.names is None else self.names,
        )


class Workspace(Struct, frozen=True, tag="workspace"):
    """A tenant. `version` counts every edit (the ETag).

    `history_days`: so many days of events its archive keeps; 0: for ever, None: as the setting says.
    `week_start`: `monday` or `sunday`, for definitions that are saved from then on.
    `merge`: by `identify` and `alias` an anonymous profile goes into the known one, with all it did.
    """

    id: str
    name: str
    timezone: str
    created_ms: int
    version: int = 1
    quotas: Quotas = Quotas()
    merge: bool = True
    history_days: int | None = None
    week_start: str = "monday"


class Key(Struct, frozen=True, tag="key"):
    """An API or write key; only its SHA-256 in hexadecimal is ever stored.

    A key with the scope `admin` has `workspace` = `*` and acts across workspaces.
    """

    digest: str
    workspace: str
    name: str
    scopes: tuple[Scope, ...]
    created_ms: int


class Rule(Struct, frozen=True, omit_defaults=True):
    """Keeps a segment for every value of an attribute; what those that it makes are called (`{value}` in it;
    empty: `ATTRIBUTE: VALUE`) and have. `most`: so many values at most."""

    attribute: str
    most: int
    name: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    folder: str = ""
    topics: tuple[str, ...] = ()
    paused: bool = False


class Source(Struct, frozen=True, omit_defaults=True):
    """What a static segment is kept equal to: a `table` or a `query` of a `connection` of the deployment's,
    or a file by `connection`, `url` or `path`. The profiles' ids are in `column` (empty: the first, or of
    NDJSON `profile`). Read every `every_s` seconds (0: when it is asked for). More than the share
    `most_gone` of the list never goes without being confirmed."""

    since_ms: int
    connection: str = ""
    table: str = ""
    query: str = ""
    url: str = ""
    path: str = ""
    format: Literal["csv", "ndjson"] = "csv"
    column: str = ""
    every_s: int = 0
    most_gone: float = 0.5


class Segment(Struct, frozen=True, tag="segment"):
    """A segment as its author left it. `definition` is None for a static segment.

    `version` counts every edit (the ETag); `definition_version` only those of the definition, and is
    what transitions carry. `defined_ms` is when the present one was written, and `defined_by` the name of the
    key that wrote it; 0 and empty where that was not noted. `folder` is a path (`Campaigns/Spring`);
    empty: in none. `archived_ms`: since when it is put aside and has no members; 0: it isn't. `tests` hold of
    the definition as it was when it was written. `rule`: in it is who has a value that the rule has no
    segment for yet. `made_by`: the id of the segment whose rule made this one. `source`: what the list of a
    static segment is kept equal to.
    """

    workspace: str
    id: str
    name: str
    version: int
    definition_version: int
    created_ms: int
    updated_ms: int
    definition: Node | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    defined_ms: int = 0
    defined_by: str = ""
    folder: str = ""
    topics: tuple[str, ...] = ()
    archived_ms: int = 0
    tests: tuple[Trial, ...] = ()
    rule: Rule | None = None
    made_by: str = ""
    source: Source | None = None


class Version(Struct, frozen=True, tag="version"):
    """A former definition of a segment: number `version`, from `since_ms` to `until_ms`, written by `by`."""

    workspace: str
    id: str
    version: int
    since_ms: int
    until_ms: int
    by: str = ""
    definition: Node | None = None


class Former(Struct, frozen=True):
    """A content that a value list had until an instant (ms)."""

    digest: str
    until_ms: int


class ValueList(Struct, frozen=True, tag="value_list", omit_defaults=True):
    """A value list as its author left it; `version` counts its contents. `bytes` are those of the values as
    JSON, `deleted_ms` is the instant since which it is none any more: its contents are kept for a while."""

    workspace: str
    id: str
    version: int
    digest: str
    count: int
    bytes: int
    created_ms: int
    updated_ms: int
    formers: tuple[Former, ...] = ()
    deleted_ms: int | None = None


class ValuePart(Struct, frozen=True, tag="values"):
    """The part number `part`, from 0, of the `parts` of a content."""

    workspace: str
    digest: str
    part: int
    parts: int
    values: list[str | int | float | bool]


class ComputedAttribute(Struct, frozen=True, tag="computed", omit_defaults=True):
    """A computed attribute as its author left it; `version` counts its definitions, and `defined_ms` is when
    the present one was written, 0 where that is not known."""

    workspace: str
    id: str
    version: int
    created_ms: int
    updated_ms: int
    definition: Computed
    description: str = ""
    defined_ms: int = 0


class DeclaredField(Struct, frozen=True, tag="field", omit_defaults=True):
    """What a workspace declares of the attribute `name`; `version` counts every edit."""

    workspace: str
    name: str
    version: int
    created_ms: int
    updated_ms: int
    declared: Declared
    label: str = ""
    description: str = ""


Entry: TypeAlias = (
    Workspace
    | Key
    | Audited
    | Segment
    | Version
    | ComputedAttribute
    | DeclaredField
    | Subscription
    | ValueList
    | ValuePart
)

_KINDS = frozenset(
    {
        ("workspace", 2),
        ("key", 2),
        ("audit", 3),
        ("segment", 3),
        ("version", 4),
        ("computed", 3),
        ("subscription", 3),
        ("field", 3),
        ("value_list", 3),
        ("values", 4),
    }
)
MAX_SHOWN = 100
"""Characters of a foreign key that an error shows."""

_decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(
    Workspace
    | Key
    | Audited
    | Segment
    | Version
    | ComputedAttribute
    | DeclaredField
    | Subscription
    | ValueList
    | ValuePart
)


def key_of(entry: Entry) -> str:
    match entry:
        case Workspace():
            return f"workspace/{entry.id}"
        case Key():
            return f"key/{entry.digest}"
        case Segment():
            return f"segment/{entry.workspace}/{entry.id}"
        case ComputedAttribute():
            return f"computed/{entry.workspace}/{entry.id}"
        case Subscription():
            return f"subscription/{entry.workspace}/{entry.id}"
        case DeclaredField():
            return f"field/{entry.workspace}/{quote(entry.name, safe='')}"
        case Audited():
            return f"audit/{entry.workspace}/{entry.id}"
        case Version():
            return f"version/{entry.workspace}/{entry.id}/{entry.version}"
        case ValueList():
            return f"value_list/{entry.workspace}/{entry.id}"
        case ValuePart():
            return f"values/{entry.workspace}/{entry.digest}/{entry.part}"


def encode(entry: Entry) -> bytes:
    return msgspec.json.encode(entry)


def decode(data: bytes) -> Entry:
    """Raises Unreadable."""
    with reading("an entry of the catalogue"):
        return _decoder.decode(data)


def read(key: bytes | None, value: bytes | None) -> tuple[str, Entry | None]:
    """A record of the topic: its key and its entry, or None where the key is deleted. Raises Unreadable."""
    with reading("a key of the catalogue"):
        name = (key or b"").decode()
    parts = name.split("/")
    if (parts[0], len(parts)) not in _KINDS or not all(parts):
        raise Unreadable(f"unknown key {name[:MAX_SHOWN]!r}")
    entry = decode(value) if value else None
    if entry is not None and key_of(entry) != name:
        raise Unreadable(f"the entry under the key {name[:MAX_SHOWN]!r} is that of another key")
    return name, entry
