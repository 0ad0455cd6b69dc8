"""One segment, compiled: its program, what it reads, which others it depends on. Plans share these."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from msgspec import Struct

from livesegments.core.computed_told import Tells, tells
from livesegments.core.definition import Node
from livesegments.core.fact import EventLeaf, Fact, build, key_of
from livesegments.core.guards import guarded
from livesegments.core.program import Drawn, Leaf, Program, drawn, program, static
from livesegments.core.reach import Guard
from livesegments.core.references import References, references
from livesegments.core.value_list import Contents, no_contents, resolved


class Segment(Struct, frozen=True):
    """One segment as the catalogue has it; `definition` is None for a static segment.

    `definition_version` counts its definitions (1, 2, …; transitions carry it); `revision` is the
    catalogue's revision at which this one came.
    """

    id: str
    definition_version: int
    revision: int
    definition: Node | None


class Read(Struct, frozen=True):
    """A leaf of a segment, its guards, and the fact that it reads, if it reads one."""

    leaf: Leaf
    guard: Guard | None
    fact: Fact | None


class Compiled(Struct, frozen=True):
    """A segment with its program and all that this reads, in the order of the definition.

    drawn   of a definition that asks for a bucket: the program is another for each profile
    root    its definition with the contents of its value lists
    tells   the computed attributes whose values its transitions carry
    """

    segment: Segment
    program: Program
    reads: tuple[Read, ...]
    needs: References = References()
    drawn: Drawn | None = None
    root: Node | None = None
    tells: Tells = ()

    @property
    def facts(self) -> Iterator[Fact]:
        """With the facts of the later steps of sequences."""
        for read in self.reads:
            if read.fact is not None:
                yield read.fact
                yield from read.fact.trails


def compile_segment(
    segment: Segment, timezone: str, facts: dict[int, Fact], contents: Contents = no_contents
) -> Compiled:
    """Takes the facts that are there from `facts`, and puts new ones in. Raises KeyError where the content of
    a value list is not known."""
    if segment.definition is None:
        return Compiled(segment, static(segment.id, segment.definition_version), ())
    root = resolved(segment.definition, contents)
    found: dict[int, Fact] = {}

    def fact_of(leaf: EventLeaf) -> Fact:
        if id(leaf) not in found:
            fact_id = key_of(leaf, timezone, segment.id).digest()
            if fact_id not in facts:
                facts[fact_id] = build(leaf, timezone, segment.id)
            found[id(leaf)] = facts[fact_id]
        return found[id(leaf)]

    run = program(root, ZoneInfo(timezone), fact_of)
    reads = tuple(Read(leaf, guard, found.get(id(leaf))) for leaf, guard in guarded(root, fact_of))
    own = drawn(root, ZoneInfo(timezone), fact_of)
    asked = tells((read.leaf, read.fact) for read in reads)
    return Compiled(segment, run, reads, references(root), own, root, asked)
