"""Which transitions a subscription hears, as far as one of them alone says."""

from __future__ import annotations

from livesegments.core.event import Transition
from livesegments.wire.subscription import BACKFILL, Subscription


def concerns(rule: Subscription, transition: Transition) -> bool:
    """Whether it is of the subscription's segments, and of a cause that it hears. An exit counts whatever its
    cause is, because it ends a stay; `hears` is asked about it later."""
    if transition.workspace != rule.workspace or (rule.segments and transition.segment not in rule.segments):
        return False
    return transition.kind == "exited" or _cause(rule, transition)


def hears(rule: Subscription, transition: Transition) -> bool:
    """Whether one that `concerns` it, and that dwell and cool-down let through, is sent."""
    return transition.kind in rule.kinds and _cause(rule, transition)


def _cause(rule: Subscription, transition: Transition) -> bool:
    if transition.cause == BACKFILL:
        return rule.backfill or BACKFILL in rule.causes
    return not rule.causes or transition.cause in rule.causes
