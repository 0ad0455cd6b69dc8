"""An entry of a workspace's audit log: who changed what, and when. The oldest are deleted."""

from __future__ import annotations

from msgspec import Struct


class Form(Struct, frozen=True):
    """What something was: its version, and the beginning of the SHA-256 of what is stored of it."""

    version: int
    digest: str


class Audited(Struct, frozen=True, tag="audit", omit_defaults=True):
    """One action; `id` is the number of its change of the catalogue, in 16 digits.

    kind, target  what it was done to: `segment` and its id
    name          the target's name, where it has one
    by, key       name and id of the key that asked; empty: the services did it by themselves
    request       the id of the request
    before, after None: it wasn't there, or isn't any more, or has no form
    note          what else matters, as a sentence's part
    profiles      of members that were put on a list or taken off it: the first of their ids
    """

    workspace: str
    id: str
    at_ms: int
    action: str
    kind: str
    target: str
    name: str = ""
    by: str = ""
    key: str = ""
    request: str = ""
    before: Form | None = None
    after: Form | None = None
    note: str = ""
    profiles: tuple[str, ...] = ()
