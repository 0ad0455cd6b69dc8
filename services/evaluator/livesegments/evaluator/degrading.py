"""What is wrong in the workspaces of a partition: `{p}:degraded`, as memory and the commits have it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from livesegments.core.event import Event
from livesegments.evaluator.aside import Aside, counted, forgiven
from livesegments.store import keys
from livesegments.store.commit import Commit
from livesegments.store.degraded import Degraded, encode, without


class Degrading:
    """`of`: workspace → how it is degraded. What a method changes is in a commit once `write` is called."""

    def __init__(self, partition: int) -> None:
        self.of: dict[str, Degraded] = {}
        self._partition = partition

    def count(self, aside: Sequence[Aside]) -> Collection[str]:
        """Notes what was set aside; the workspaces of that."""
        for each in aside:
            self.of[each.workspace] = counted(self.of.get(each.workspace, Degraded()), each)
        return {each.workspace for each in aside}

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
