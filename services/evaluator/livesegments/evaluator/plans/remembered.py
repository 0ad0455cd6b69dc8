"""What the store remembers of a workspace in a partition, decoded, and how it is written again."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct

from livesegments.core.list_versions import ListVersions, Since
from livesegments.store import adoption, keys, progress
from livesegments.store.adoption import Stage
from livesegments.store.commit import Commit


class Stored(Struct, frozen=True):
    """What the store has of a workspace in a partition: three hashes and a field."""

    facts: Mapping[str, bytes] = {}
    served: Mapping[str, bytes] = {}
    segments: Mapping[str, bytes] = {}
    stage: bytes | None = None


class Remembered:
    """The facts that are kept, the definitions that are served, and the progress of segments, by id.

    `filling`: the facts that are given their history. `completed`: the adoption to which the last walk that
    came to its end brought every stored profile.
    """

    def __init__(self, stored: Stored) -> None:
        self.facts = {int(fact): adoption.decode_kept(data) for fact, data in stored.facts.items()}
        self.served = {id_: adoption.decode_served(data) for id_, data in stored.served.items()}
        self.progress = {segment: progress.decode(data) for segment, data in stored.segments.items()}
        found = adoption.decode_stage(stored.stage) if stored.stage is not None else None
        self.revision = found.revision if found else -1
        self.timezone = found.timezone if found else None
        self.filling = found.filling if found else None
        self.completed = found.walked if found else -1

    def since(self) -> dict[int, int]:
        return {fact: kept.revision for fact, kept in self.facts.items()}

    def lists(self) -> ListVersions:
        """Which versions of its static segments the partition has served, as far as that was noted."""
        noted: dict[str, list[Since]] = {}
        for id_, each in self.served.items():
            if each.definition is None:
                commits = [(switch.version, switch.commit) for switch in each.switches]
                noted[id_] = [(version, commit) for version, commit in commits if commit is not None]
        return ListVersions(noted)

    def write_facts(self, commit: Commit, workspace: str, facts: Collection[int]) -> None:
        fields = {str(fact): adoption.encode(self.facts[fact]) for fact in facts if fact in self.facts}
        if fields:
            commit.put_fields(keys.facts(commit.partition, workspace), fields)

    def write_stage(self, commit: Commit, workspace: str) -> None:
        assert self.timezone is not None
        now = Stage(self.revision, self.timezone, self.filling, self.completed)
        commit.put_fields(keys.adopted(commit.partition), {workspace: adoption.encode(now)})

    def write_progress(
        self, commit: Commit, workspace: str, segments: Collection[str], gone: Collection[str] = ()
    ) -> None:
        if segments:
            fields: dict[str, str | bytes] = {id_: progress.encode(self.progress[id_]) for id_ in segments}
            commit.put_fields(keys.segments(commit.partition, workspace), fields)
        if gone:
            commit.drop_fields(keys.segments(commit.partition, workspace), gone)
