"""What is wrong in the workspaces of a partition: `{p}:degraded`, as memory and the commits have it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from livesegments.core.event import Event
from livesegments.evaluator.commits.making import Making
from livesegments.evaluator.faults.aside import Aside, counted, forgiven, owed
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.degraded import Degraded, encode, without
from livesegments.wire.profilekey import split


class Degrading:
    """`of`: workspace → how it is degraded. What a method changes is in a commit once `write` is called."""

    def __init__(self, partition: int) -> None:
        self.of: dict[str, Degraded] = {}
        self._partition = partition

    def note(self, making: Making) -> Collection[str]:
        """Notes what a commit set aside, and what is owed no more; the workspaces where that changes
        anything."""
        before = dict[str, Degraded | None]()
        for each in making.aside:
            before.setdefault(each.workspace, self.of.get(each.workspace))
            self.of[each.workspace] = counted(self.of.get(each.workspace, Degraded()), each)
        for key in making.met.keys() | making.owed.keys():
            workspace, _ = split(key)
            known = self.of.get(workspace)
            before.setdefault(workspace, known)
            self.of[workspace] = owed(known or Degraded(), making.met.get(key), making.owed.get(key))
        return [each for each, known in before.items() if self.of[each] != known]

    def forgive(self, events: Sequence[Event], aside: Sequence[Aside]) -> Collection[str]:
        """Of events that were applied, but for those `aside`: the workspaces where that ends a fault."""
        mended = forgiven(self.of, events, aside)
        self.of |= mended
        return mended

    def forget(self, workspace: str, profile: str) -> Collection[str]:
        """A profile that is erased is named no more; the workspaces where it was."""
        before = self.of.get(workspace)
        if before is None or (after := without(before, profile)) == before:
            return ()
        self.of[workspace] = after
        return (workspace,)

    def clear(self, workspace: str) -> None:
        """No profile of the workspace is owed anything."""
        before = self.of[workspace]
        last_ms = before.last_ms if before.events else None
        self.of[workspace] = replace(before, dues=0, definitions=0, last_ms=last_ms)

    def unplanned(self, faults: Mapping[str, str]) -> Collection[str]:
        """Notes why workspaces' newest definitions can't be compiled; those where that has changed."""
        changed = []
        for workspace in faults.keys() | self.of.keys():
            before = self.of.get(workspace, Degraded())
            if before.plan != faults.get(workspace):
                self.of[workspace] = replace(before, plan=faults.get(workspace))
                changed.append(workspace)
        return changed

    def write(self, commit: Commit, workspaces: Collection[str]) -> None:
        if workspaces:
            fields: dict[str, str | bytes] = {each: encode(self.of[each]) for each in workspaces}
            commit.put_fields(keys.degraded(self._partition), fields)
