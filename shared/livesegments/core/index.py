"""From everything of a profile that can change to the positions of just the segments that it may flip.

An index is made once from many segments, or from an older index by taking segments out and putting others in:
then it costs as much as those segments read, and users of the older one see nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from livesegments.core.attribute import Watch
from livesegments.core.compiled import Compiled, Read
from livesegments.core.definition import Attribute, Bucket, Consent, Near, SegmentRef, Tag
from livesegments.core.edition import Edition, own
from livesegments.core.fact import EventLeaf, Fact
from livesegments.core.feed import NameFeeds, feeds
from livesegments.core.profile import ANY_TAG, consent_key
from livesegments.core.reach import Reach, mark
from livesegments.core.track import ChainTrack, Track, TrailTrack, track


class Index:
    """`put`, `drop`, `keep` and `release` what changes, then `finish`; afterwards it is frozen.

    tracks      fact id → its track; `uses` how many leaves read it, of segments in it and of staged ones
    dependents  position → who refers to it by `segment`
    """

    def __init__(self, zone: ZoneInfo, before: Index | None = None) -> None:
        self._zone = zone
        self._edition = Edition()
        self._fresh = before is None
        self._before: dict[int, Track | None] = {}
        self.facts: dict[int, Fact] = dict(before.facts) if before else {}
        self.tracks: dict[int, Track] = dict(before.tracks) if before else {}
        self.feeds: dict[str, NameFeeds] = dict(before.feeds) if before else {}
        self.watches: dict[str, Watch] = dict(before.watches) if before else {}
        self.tags: dict[str, Reach] = dict(before.tags) if before else {}
        self.consents: dict[str, Reach] = dict(before.consents) if before else {}
        self.dependents: dict[int, Reach] = dict(before.dependents) if before else {}
        self._uses: dict[int, int] = dict(before._uses) if before else {}

    def put(self, position: int, item: Compiled, positions: Mapping[str, int]) -> None:
        """`positions` of the segments that it refers to."""
        for read in item.reads:
            if read.fact is not None:
                assert isinstance(read.leaf, EventLeaf)
                self._use(read.fact, read.leaf)
                self._own(read.fact.id).add(read.leaf, position, read.guard)
            else:
                self._mark(position, read, positions, present=True)

    def drop(self, position: int, item: Compiled, positions: Mapping[str, int]) -> None:
        """`positions` as they were when it was put in, but for segments that are no more."""
        for read in item.reads:
            if read.fact is not None:
                assert isinstance(read.leaf, EventLeaf)
                self._own(read.fact.id).discard(read.leaf, position, read.guard)
                self._leave(read.fact)
            else:
                self._mark(position, read, positions, present=False)

    def keep(self, item: Compiled) -> None:
        """A staged segment: its facts are kept, and nothing reads them."""
        for read in item.reads:
            if read.fact is not None:
                assert isinstance(read.leaf, EventLeaf)
                self._use(read.fact, read.leaf)

    def release(self, item: Compiled) -> None:
        """A segment that is staged no more."""
        for read in item.reads:
            if read.fact is not None:
                self._leave(read.fact)

    def finish(self) -> None:
        """The feeds follow the tracks."""
        if self._fresh:
            self.feeds = feeds(self.tracks.values(), self._edition)
            return
        added: dict[str, list[Track]] = {}
        for id_, old in self._before.items():
            new = self.tracks.get(id_)
            if old is None:
                if new is not None:
                    for name in new.fact.feed.names:
                        added.setdefault(name, []).append(new)
                continue
            for name in old.fact.feed.names if new is not old else ():
                named = own(self.feeds, name, self._edition, NameFeeds)
                if new is not None:
                    named.replace(old, new)
                    continue
                named.discard(old)
                if not named:
                    del self.feeds[name]
        for name, tracks in added.items():
            own(self.feeds, name, self._edition, NameFeeds).add(tracks)

    def _mark(self, position: int, read: Read, positions: Mapping[str, int], present: bool) -> None:
        leaf, guard, edition = read.leaf, read.guard, self._edition
        match leaf:
            case Attribute(name=name) | Near(attribute=name):
                watch = own(self.watches, name, edition, lambda made: Watch(made, self._zone))
                (watch.add if present else watch.discard)(leaf, position, guard)
                if not watch:
                    del self.watches[name]
            case Tag():
                mark(self.tags, leaf.name or ANY_TAG, position, guard, edition, present)
            case Consent():
                mark(self.consents, consent_key(leaf.channel, leaf.topic), position, guard, edition, present)
            case SegmentRef():
                if leaf.id in positions:
                    mark(self.dependents, positions[leaf.id], position, guard, edition, present)
            case Bucket():
                pass  # nothing of a profile can change its id
            case _:
                raise AssertionError(f"{type(leaf).__name__} reads a fact")

    def _use(self, fact: Fact, leaf: EventLeaf) -> None:
        for each in (fact, *fact.trails):
            uses = self._uses.get(each.id, 0)
            self._uses[each.id] = uses + 1
            if not uses:
                self.facts[each.id] = each
                made = track(self._edition, each, leaf) if each is fact else TrailTrack(self._edition, each)
                self._before.setdefault(each.id, None)
                self.tracks[each.id] = made
        self._link(fact)

    def _leave(self, fact: Fact) -> None:
        last = self._uses[fact.id] == 1
        for each in (*fact.trails, fact):
            self._uses[each.id] -= 1
            if not self._uses[each.id]:
                self._before.setdefault(each.id, self.tracks[each.id])
                del self._uses[each.id], self.facts[each.id], self.tracks[each.id]
            elif last and each is not fact:
                trail = self._own(each.id)
                assert isinstance(trail, TrailTrack)
                trail.followers.pop(fact.id, None)

    def _own(self, fact: int) -> Track:
        """The fact's track, to be changed."""
        found = self.tracks[fact]
        if found.edition is self._edition:
            return found
        self._before.setdefault(fact, found)
        made = self.tracks[fact] = found.copied(self._edition)
        self._link(made.fact)
        return made

    def _link(self, fact: Fact) -> None:
        """The trails of a sequence know its track."""
        chain = self.tracks[fact.id]
        if not isinstance(chain, ChainTrack):
            return
        for part in fact.trails:
            trail = self.tracks[part.id]
            assert isinstance(trail, TrailTrack)
            if trail.followers.get(fact.id) is not chain:
                trail = self._own(part.id)
                assert isinstance(trail, TrailTrack)
                trail.followers[fact.id] = chain
