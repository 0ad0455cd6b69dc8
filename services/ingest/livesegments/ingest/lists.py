"""Which segments of a workspace a profile may be put on: the static ones.

A list without a segment, or a dynamic segment, would take the profile in without a word and without an
effect. So the verdict of an event that names one says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from livesegments.core.fault import Faults
from livesegments.wire.catalog import Segment


class Lists(Struct, frozen=True):
    """`segments` are a workspace's, by id; `unknown` says whether other ids are taken, too."""

    segments: Mapping[str, Segment]
    unknown: bool = False

    def static(self, faults: Faults, ids: list[str], at: str) -> list[str]:
        """Those ids that may be added; the others are faults."""
        found = []
        for id_ in ids:
            segment = self.segments.get(id_)
            if segment is None and not self.unknown:
                told = f"{id_!r} is no segment of this workspace: create it as a static one first"
                faults.add(at, "unknown_segment", told)
            elif segment is not None and segment.definition is not None:
                told = f"{id_!r} is a dynamic segment: its definition alone says who is in it"
                faults.add(at, "unknown_segment", told)
            elif segment is not None and segment.archived_ms:
                faults.add(at, "unknown_segment", f"{id_!r} is archived: unarchive it first")
            else:
                found.append(id_)
        return found

    def versions(self, ids: list[str]) -> dict[str, int]:
        """The version of each static segment as it is now: one that is made anew later is not meant."""
        known = ((id_, self.segments.get(id_)) for id_ in ids)
        return {id_: each.definition_version for id_, each in known if each and each.definition is None}
