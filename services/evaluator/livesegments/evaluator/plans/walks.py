"""A claim's plans: new definitions are adopted, and the stored profiles are brought to them in chunks.

A profile that an event or a due time touches is brought to the adopted plan then and there. The walk
brings the others, workspace by workspace in turn. Definitions whose facts lack history are staged (module
`filling` gives it to them), and adopted like the others once they have it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping

import structlog

from livesegments.core.beyond import beyond
from livesegments.core.concern import Concern
from livesegments.core.list_versions import ListVersions
from livesegments.core.needed import all_edges, needed
from livesegments.core.plan import Plan
from livesegments.core.staging import Staging
from livesegments.evaluator.commits.flight import Flight
from livesegments.evaluator.commits.outcome import Outcome
from livesegments.evaluator.commits.partition import Partition
from livesegments.evaluator.faults.aside import publish
from livesegments.evaluator.history.candidates import Candidates
from livesegments.evaluator.history.portion import Portion
from livesegments.evaluator.plans.adoption import Adopted, News
from livesegments.evaluator.plans.remembered import Stored
from livesegments.evaluator.ports import Ports
from livesegments.runtime import metrics
from livesegments.store import keys
from livesegments.store.adoption import Filling
from livesegments.store.commit import Commit
from livesegments.wire.topics import EVENTS

_log = structlog.get_logger(__name__)

JUDGEMENTS = 20_000
"""A chunk of a walk judges about this many (segment, profile) pairs; events wait for one chunk at most."""
GROWTH = 4
"""A chunk has at most this many times the profiles of the one before, whose cost is known by then."""

UNDECODED = 4
"""A chunk has this many times more profiles where most of them needn't be decoded."""


class Walks:
    """`wall_ms` gives the wall clock where it counts."""

    def __init__(
        self, ports: Ports, partition: Partition, flight: Flight, wall_ms: Callable[[], int | None]
    ) -> None:
        self._plans = ports.plans
        self._shard = ports.shard
        self._publisher = ports.publisher
        self._chunk, self._pace = ports.options.chunk, ports.pace
        self._portion = Portion(ports.pace)
        self._partition = partition
        self._flight = flight
        self._wall_ms = wall_ms
        self._latest: dict[str, Plan] = {}
        self._adopted: dict[str, Adopted] = {}
        self._walking: deque[str] = deque()
        self._faults: Mapping[str, str] = {}
        self._unstaged: dict[str, str] = {}
        """Workspace → why its definitions can't be compiled in the form in which some of them wait."""
        self._listed: dict[str, list[str]] = {}
        """Workspace → whom its round still has to look at, where that is known by id."""
        self._lacking: dict[str, None] = {}
        """The workspaces that may have facts that lack history."""
        self._sizes: dict[str, tuple[int, float]] = {}
        """Workspace → the adoption that is walked for, and how many profiles the next chunk may have."""

    @property
    def behind(self) -> bool:
        """Whether there are newer plans, or others can be compiled than before."""
        plans = self._plans
        return plans.revision != self._partition.catalog or plans.faults != self._faults

    async def adopt(self) -> None:
        """Takes the newest plans in: from the next record on they hold for every profile touched."""
        partition, plans, revision = self._partition, self._plans.plans, self._plans.revision
        self._faults = self._plans.faults
        news: list[tuple[str, Adopted, News]] = []
        for workspace, plan in plans.items():
            if self._latest.get(workspace) is plan and workspace not in self._unstaged:
                continue
            self._latest[workspace] = plan
            found = await self._take(workspace, plan)
            if found is not None:
                news.append((workspace, self._adopted[workspace], found))
        for workspace in partition.plans.keys() - plans.keys():
            del partition.plans[workspace]
            del self._latest[workspace]
            self._adopted.pop(workspace, None)
            self._sizes.pop(workspace, None)
            self._listed.pop(workspace, None)
            partition.noted.pop(workspace, None)
            self._unstaged.pop(workspace, None)

        unplanned = self._unplanned()

        def write(commit: Commit) -> None:
            for workspace, adopted, found in news:
                adopted.write_adopted(commit, workspace, found)
            partition.degrading.write(commit, unplanned)

        if news or unplanned or partition.catalog != revision:
            partition.catalog = revision
            await self._flight.send(partition.seal(write))

    @property
    def walking(self) -> bool:
        return bool(self._walking)

    async def walk(self) -> bool:
        """One chunk of the stored profiles of one workspace; False if there is no walk."""
        if not self._walking:
            return False
        workspace = self._walking.popleft()
        partition, adopted = self._partition, self._adopted.get(workspace)
        if adopted is None:
            return True
        also, concern = self._concerned(workspace, adopted)
        if adopted.cursor == 0:
            self._list(workspace, adopted)
        listed = self._listed.get(workspace)
        if listed is not None:
            cursor, stored = await self._next(workspace, listed, self._few(workspace, adopted))
            concern = None
        else:
            few = concern is None or not self._pace.calm
            count = self._few(workspace, adopted) if few else UNDECODED * self._chunk
            cursor, stored = await self._shard.scan(workspace, adopted.cursor, count)
        now_ms = self._wall_ms()
        if now_ms is not None:
            partition.pass_to(now_ms)
        judged = await self._judge(workspace, stored, concern, also)
        if concern is None:
            share = JUDGEMENTS / max(judged, 1)
            self._sizes[workspace] = adopted.revision, len(stored) * min(share, GROWTH)
        metrics.WALKED.inc(len(stored))
        outcome: Outcome | None = None
        plan = partition.plans[workspace]
        if adopted.walked(cursor, len(stored)):
            outcome = partition.seal(lambda commit: adopted.write_walked(commit, workspace))
            partition.walked[workspace] = adopted.completed
            if cursor == 0:
                self._listed.pop(workspace, None)
                if not adopted.wanting() and not adopted.walking:
                    partition.noted.pop(workspace, None)
        elif partition.changed:
            outcome = partition.seal()
        if outcome is not None:
            await self.send(outcome, f"walk/{plan.revision}")
        if adopted.walking:
            self._walking.append(workspace)
        return True

    async def _judge(
        self, workspace: str, stored: Mapping[str, bytes], concern: Concern | None, also: Collection[str]
    ) -> int:
        """Brings a chunk to the plan; the event loop goes round between slices. As `Partition.walk`."""
        judged, done, slices, left = 0, 0, list[dict[str, bytes]](), list(stored.items())
        while done < len(left):
            if slices:
                await self._pace.rest()
            slice_ = dict(left[done : done + self._portion.slice])
            begun_s = self._pace.spent_s()
            judged += self._partition.walk(workspace, slice_, concern, also, slices)
            self._portion.took(len(slice_), begun_s)
            slices.append(slice_)
            done += len(slice_)
        return judged

    async def send(self, outcome: Outcome, work: str) -> asyncio.Future[bool]:
        """Sends the outcome, first what could not be evaluated; `work` names the work that met it. The reply
        is still to come."""
        for aside in outcome.aside:
            source = f"{EVENTS}/{self._partition.number}/{work}"
            await publish(self._publisher, aside, source, aside.at_ms)
        return await self._flight.send(outcome)

    @property
    def building(self) -> int:
        """Segments whose new definition is not everywhere in the partition yet."""
        return sum(adopted.building for adopted in self._adopted.values())

    def owes(self, revision: int) -> bool:
        """Whether any definition up to that revision of the catalogue is not everywhere in the partition yet.
        What can't be compiled is not waited for: what was served before it is served."""
        for workspace, plan in self._latest.items():
            if workspace in self._faults or workspace in self._unstaged:
                continue
            progress = self._adopted[workspace].progress
            for id_, each in plan.segments.items():
                if each.revision <= revision and progress[id_].state == "building":
                    return True
        return False

    # -- history

    def lacking(self) -> tuple[str, Filling, Plan] | None:
        """A workspace with facts that lack history, and its plan here; None if there is none."""
        for workspace in list(self._lacking):
            adopted = self._adopted.get(workspace)
            filling = adopted.begin_filling() if adopted is not None else None
            if filling is not None:
                return workspace, filling, self._partition.plans[workspace]
            del self._lacking[workspace]
        return None

    def wants(self, workspace: str, begun: Mapping[int, int]) -> bool:
        """Whether the filling of these facts, each up to a commit, is still wanted. A fact that went and came
        back meanwhile wants more."""
        adopted = self._adopted.get(workspace)
        if adopted is None or adopted.filling is None:
            return False
        wanting = adopted.wanting()
        return {fact: wanting[fact] for fact in adopted.filling.facts if fact in wanting} == begun

    def wanting(self, workspace: str) -> Mapping[int, int]:
        """Fact id → the commit up to which history is still to be given to it."""
        return self._adopted[workspace].wanting()

    def lists(self, workspace: str) -> ListVersions:
        """As `Remembered.lists`."""
        return self._adopted[workspace].lists()

    def partial(self, workspace: str) -> set[int]:
        """Facts that are given history now, or whose history is not all there."""
        adopted = self._adopted[workspace]
        kept = adopted.facts.items()
        return {*adopted.wanting(), *(fact for fact, each in kept if each.since_ms is not None)}

    def lacking_of(self, workspace: str, profile: str) -> Mapping[int, int]:
        """The same of one profile, which a filling under way may have reached."""
        adopted = self._adopted[workspace]
        wanting, filling = adopted.wanting(), adopted.filling
        if filling is None or profile > filling.after:
            return wanting
        return {fact: upto for fact, upto in wanting.items() if fact not in filling.facts}

    def given(self, workspace: str, after: str, profiles: int, share: float) -> Callable[[Commit], None]:
        """Profiles up to `after` have their history: what the commit that gave it to them writes."""
        adopted = self._adopted[workspace]
        report = adopted.filled(after, profiles, share)
        return lambda commit: adopted.write_filled(commit, workspace, report)

    async def filled(self, workspace: str, since_ms: int | None) -> None:
        """All profiles have their history: the definitions that waited for it are adopted, in one commit."""
        adopted = self._adopted[workspace]
        assert adopted.filling is not None
        facts: Collection[int] = adopted.filling.facts
        plan = self._partition.plans[workspace]
        short = () if since_ms is None else beyond(plan, since_ms, self._partition.clock_ms)
        adopted.end_filling(since_ms, short)
        metrics.BUILT.inc()
        news = await self._take(workspace, self._latest[workspace])
        unplanned = self._unplanned()

        def write(commit: Commit) -> None:
            self._partition.degrading.write(commit, unplanned)
            adopted.write_facts(commit, workspace, facts)
            if news is not None:
                adopted.write_adopted(commit, workspace, news)
            else:
                adopted.write_stage(commit, workspace)

        await self._flight.send(self._partition.seal(write))

    @property
    def short(self) -> bool:
        """Whether there are facts whose history is not all there."""
        return any(
            each.since_ms is not None for adopted in self._adopted.values() for each in adopted.facts.values()
        )

    def complete(self, now_ms: int, commit: Commit) -> None:
        """Facts whose windows have moved past what their history lacked are whole: what a commit writes of
        that."""
        for workspace, adopted in self._adopted.items():
            plan = self._partition.plans.get(workspace)
            if plan is not None:
                adopted.write_complete(commit, workspace, *adopted.complete(plan, now_ms))

    def foresee(self, workspace: str, plan: Plan, facts: Collection[int], now_ms: int) -> None:
        """A filling of facts begins with the first profile: their states will say whom the segments that wait
        may hold for."""
        noted = self._partition.noted.get(workspace)
        if noted is not None:
            noted.filling(needed(plan, facts, now_ms), {fact: all_edges(plan, fact) for fact in facts})

    # -- inside

    def _concerned(self, workspace: str, adopted: Adopted) -> tuple[Collection[str], Concern | None]:
        """Whom the walk has to look at: by id, and by state."""
        plan, noted = self._partition.plans[workspace], self._partition.noted.get(workspace)
        if noted is None:
            return (), adopted.concern(plan)
        covered = {id_ for id_ in adopted.newer(plan) if noted.covers(plan, id_)}
        return (noted.ids if covered else ()), adopted.concern(plan, covered)

    def _list(self, workspace: str, adopted: Adopted) -> None:
        """A round begins. Where it is for new segments alone whose candidates are noted, nobody else is
        looked at: whoever is touched from now on is judged then."""
        plan, noted = self._partition.plans[workspace], self._partition.noted.get(workspace)
        self._listed.pop(workspace, None)
        newer = adopted.newer(plan)
        if noted is not None and adopted.only_new(newer) and all(noted.covers(plan, id_) for id_ in newer):
            self._listed[workspace] = sorted(noted.ids, reverse=True)

    async def _next(self, workspace: str, listed: list[str], count: int) -> tuple[int, dict[str, bytes]]:
        """The next of those that are listed, and how many are left."""
        ids, listed[-count:] = listed[-count:], []
        found = await self._shard.profiles(workspace, ids) if ids else []
        return len(listed), {id_: data for id_, data in zip(ids, found, strict=True) if data is not None}

    def _few(self, workspace: str, adopted: Adopted) -> int:
        """How many profiles come next. Until it is seen how few segments these lead to, it may be all."""
        revision, size = self._sizes.get(workspace, (-1, 0.0))
        if revision != adopted.revision:
            size = JUDGEMENTS / max(adopted.segments, 1)
        return max(1, min(self._chunk, self._portion.size, int(size)))

    async def _take(self, workspace: str, latest: Plan) -> News | None:
        """Stages and adopts a workspace's definitions in memory. Returns the writes that store that."""
        partition = self._partition
        adopted = self._adopted.get(workspace) or await self._stored(workspace)
        total = await self._shard.count(workspace)
        staging, plan = await self._staged(workspace, latest, adopted, total == 0)
        wall_ms = self._wall_ms()
        now_ms = partition.clock_ms if wall_ms is None else max(partition.clock_ms, wall_ms)
        news = adopted.adopt(latest, staging, plan, partition.commit, total, now_ms, wall_ms)
        self._adopted[workspace] = adopted
        partition.plans[workspace] = adopted.view(plan)
        partition.since[workspace] = adopted.since()
        partition.walked[workspace] = adopted.completed
        self._lacking[workspace] = None
        wanting = adopted.wanting().keys()
        if news is not None and wanting and wanting <= set(news.facts):
            partition.noted[workspace] = Candidates()
        if adopted.walking and workspace not in self._walking:
            self._walking.append(workspace)
        return news

    async def _staged(
        self, workspace: str, latest: Plan, adopted: Adopted, empty: bool
    ) -> tuple[Staging, Plan]:
        """The definitions to be served and those that wait, compiled. Where they can't be compiled, what the
        partition served last stays, also after a restart, when `latest` has only those that compile.

        `empty`: the partition has no profile of the workspace.
        """
        self._unstaged.pop(workspace, None)
        zone = adopted.timezone
        if workspace in self._plans.faults and adopted.served and zone is not None:
            try:
                return await self._as_served(latest, adopted, zone)
            except Exception as error:
                _log.error("what was served can't be compiled", workspace=workspace, exc_info=error)
        staging = adopted.propose(latest, empty)
        if not staging.staged:
            return staging, latest
        try:
            return staging, await self._plans.staged(latest, staging, adopted.zone_of(latest, staging))
        except Exception as error:
            _log.error("what waits for history can't be compiled", workspace=workspace, exc_info=error)
            self._unstaged[workspace] = repr(error)
        return await self._as_served(latest, adopted, zone or latest.timezone)

    async def _as_served(self, latest: Plan, adopted: Adopted, timezone: str) -> tuple[Staging, Plan]:
        staging = Staging({id_: each.segment(id_) for id_, each in adopted.served.items()}, {})
        return staging, await self._plans.staged(latest, staging, timezone)

    def _unplanned(self) -> Collection[str]:
        """Notes which workspaces are not as their newest definitions want them; those where that changed."""
        return self._partition.degrading.unplanned({**self._unstaged, **self._plans.faults})

    async def _stored(self, workspace: str) -> Adopted:
        number = self._partition.number
        facts, served, segments, stages = await asyncio.gather(
            self._shard.fields(keys.facts(number, workspace)),
            self._shard.fields(keys.served(number, workspace)),
            self._shard.fields(keys.segments(number, workspace)),
            self._shard.fields(keys.adopted(number)),
        )
        return Adopted(Stored(facts, served, segments, stages.get(workspace)))
