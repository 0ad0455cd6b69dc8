"""Every Redis key, named once. Keys of a partition carry the hash tag `{p}`: one slot, one owner.

Of a partition p (written by its evaluator, in one commit with the head):
  {p}:head                    HASH  owner, commit, offset, clock, topic, catalog: the fence, the next
                                    offset to read, the clock (ms; absent before the first event), the
                                    topic's id, the catalogue revision that the partition has adopted;
                                    claimed: the instant (ms) of the last claim, later than any before it;
                                    restoring: `DONE TOTAL` profiles, only while it is made anew; restored:
                                    the token of who made it anew last; upto, again: the offset and the
                                    catalogue's revision that it must come to before it is what it was;
                                    `again` goes once it is
  {p}:profiles:WORKSPACE      HASH  profile id → state (msgpack of core.profile.Profile)
  {p}:numbers                 HASH  WORKSPACE → the last number that a profile was given
  {p}:ids:WORKSPACE           HASH  a profile's number → its id
  {p}:members:WORKSPACE:SEG   ZSET  profile ids, with their numbers as scores
  {p}:bits:WORKSPACE:SEG      STRING  the same where it is of many: the bits at members' numbers are 1
  {p}:dense                   HASH  `WORKSPACE NUL SEG` of those that are bits → nothing
  {p}:due                     ZSET  `WORKSPACE NUL profile` → instant in ms, never later than the due instant
                                    by the profile's state
  {p}:outbox                  STREAM  id COMMIT-0, field `t`: msgpack array of transitions
  {p}:handing                 STREAM  id COMMIT-0, field `h`: msgpack array of store.handing.Item
  {p}:facts:WORKSPACE         HASH  fact id → JSON of store.adoption.Kept: from when this partition keeps it
  {p}:served:WORKSPACE        HASH  segment id → JSON of store.adoption.Served: the definition served
  {p}:adopted                 HASH  WORKSPACE → JSON of store.adoption.Stage: how far its history is filled in
  {p}:recounts                HASH  `WORKSPACE NUL profile` → nothing: retractions wait to be carried out
  {p}:tail                    STREAM  id COMMIT-0, fields of store.tail: what was applied and is not archived
  {p}:archive                 HASH  FIRST-LAST (commits) → JSON of history.archive.Written
  {p}:checkpoint              HASH  COMMIT-CLAIM.parquet → JSON of history.mark.Saved
  {p}:merged                  HASH  `WORKSPACE NUL profile NUL sender` → nothing: a sender (core.kin) whose
                                    id the profile's state has no room for, or that went into one never seen
  {p}:suppressed              HASH  digest of an erased profile → JSON of store.erasures.Suppressed; the field
                                    `changed`: the number of the commit that changed it last
  {p}:erasures                HASH  OFFSET of the request in topic `events` → JSON of store.erasures.Erasing
  {p}:gone                    HASH  OFFSET as in `{p}:erasures` → JSON of store.erasures.Gone: who is erased
                                    while rows of theirs are still in tail or archive
  {p}:retained                HASH  WORKSPACE → instant in ms: the archive has dropped what was before it
  {p}:degraded                HASH  workspace → JSON of store.degraded.Degraded
  {p}:segments:WORKSPACE      HASH  segment id → JSON of store.progress.Progress
  {p}:frozen:WORKSPACE:TOKEN  HASH  a page's number → zlib of its ids, a line each; expires; of the api
Of frozen audiences (written by the api):
  {frozen}:WORKSPACE          HASH  token → JSON of store.frozen.Frozen; expires
Of a partition p of topic `memberships` (written by notify, under the token of the last claim):
  {nP}:head                   HASH  owner, topic: the fence, and the topic's id
  {nP}:lanes                  SET   WORKSPACE/SUBSCRIPTION of every lane below
  {nP}:lane:WORKSPACE:SUB     HASH  at, next: the next offset and the next message's number; m:NUMBER →
                                    msgpack of notify.queue.Message: what waits; replay: `NUMBER-NEXT-END`
  {nP}:stays:WORKSPACE:SUB    HASH  `SEGMENT NUL profile` → msgpack of notify.stays.Stay
  {nP}:dues:WORKSPACE:SUB     ZSET  the same key → the instant (ms) at which the stay is looked at
  {nP}:tries:WORKSPACE:SUB    LIST  JSON of wire.attempt.Attempt, the newest first, bounded
  {nP}:dead:WORKSPACE:SUB     LIST  JSON of wire.attempt.Dead, the newest first, bounded
  {notify}:disabled           HASH  WORKSPACE/SUBSCRIPTION → JSON of wire.attempt.Disabled
Of jobs in the background (written by the api):
  {jobs}:of:WORKSPACE         HASH  id → JSON of store.jobs.Job
  {jobs}:open                 ZSET  `WORKSPACE NUL id` of those under way → when it was asked for (ms)
  {jobs}:turn:WORKSPACE/ID    STRING  token of the api that does this job now; expires
  {jobs}:token:WORKSPACE/TOKEN STRING  `COUNT DIGEST`: the mass job that may be begun by it; expires
Of segments that the api keeps up (written by it):
  {kept}                      ZSET  `WORKSPACE NUL segment` → when it was put in (ms); module store.kept
  {kept}:runs:WORKSPACE       HASH  segment → JSON of store.source_runs.Run: the last one
  {kept}:rules                STRING  token of the api that carries rules out now; expires
Of what waits everywhere (written by the api):
  {lag}:course                HASH  a slot's number on a ring → JSON of store.course.Point: the last hour
Of the catalogue (written by the api; one slot):
  {catalog}:workspaces        HASH  id → JSON of wire.catalog.Workspace
  {catalog}:keys              HASH  SHA-256 → JSON of wire.catalog.Key
  {catalog}:segments:WORKSPACE HASH  id → JSON of wire.catalog.Segment; computed:ID → of ComputedAttribute,
                                    subscription:ID → of wire.subscription.Subscription
  {catalog}:versions:WORKSPACE HASH  ID/NUMBER → JSON of wire.catalog.Version: former definitions of segments
  {catalog}:audit:WORKSPACE   HASH  id → JSON of wire.audited.Audited
  {catalog}:lists:WORKSPACE   HASH  id → JSON of wire.catalog.ValueList; field:NAME → of DeclaredField
  {catalog}:values:WORKSPACE  HASH  DIGEST/PART → JSON of wire.catalog.ValuePart
  {catalog}:retired:WORKSPACE HASH  id of a deleted segment → its last definition version
  {catalog}:changed:WORKSPACE ZSET  segment id → the number of its last change (deleted ones, too)
  {catalog}:sequence          STRING  the number of the last change
  {catalog}:revisions         HASH  scope (a workspace, or `*`) → revision, see store.catalog
  {catalog}:outbox            STREAM  id SEQUENCE-0, fields `key`, `value`: not yet published
  {catalog}:publisher         STRING  token of the api that publishes the outbox now; expires
  {names}:WORKSPACE           HASH  event name → msgpack of core.names.seen.Name (written by ingest)
  {exports}:jobs:WORKSPACE    HASH  id → JSON of store.exports.Export
  {exports}:all               ZSET  `WORKSPACE NUL id` → when it was asked for (ms)
  {exports}:turn:WORKSPACE/ID STRING  token of the api that does this export now; expires
  {catalog}:once:DIGEST       STRING  what a POST with this Idempotency-Key was answered; expires
"""

from __future__ import annotations

CATALOG_WORKSPACES = "{catalog}:workspaces"
CATALOG_KEYS = "{catalog}:keys"
CATALOG_SEQUENCE = "{catalog}:sequence"
CATALOG_REVISIONS = "{catalog}:revisions"
CATALOG_OUTBOX = "{catalog}:outbox"
CATALOG_PUBLISHER = "{catalog}:publisher"
NOTIFY_DISABLED = "{notify}:disabled"
KEPT = "{kept}"
RULES_TURN = "{kept}:rules"
EXPORTS = "{exports}:all"
JOBS = "{jobs}:open"
LAG_COURSE = "{lag}:course"


def of(partition: int) -> str:
    """The beginning of all keys of a partition."""
    return f"{{{partition}}}:"


def head(partition: int) -> str:
    return f"{{{partition}}}:head"


def profiles(partition: int, workspace: str) -> str:
    return f"{{{partition}}}:profiles:{workspace}"


def members(partition: int, workspace: str, segment: str) -> str:
    return f"{{{partition}}}:members:{workspace}:{segment}"


def bits(partition: int, workspace: str, segment: str) -> str:
    return f"{{{partition}}}:bits:{workspace}:{segment}"


def numbers(partition: int) -> str:
    return f"{{{partition}}}:numbers"


def ids(partition: int, workspace: str) -> str:
    return f"{{{partition}}}:ids:{workspace}"


def dense(partition: int) -> str:
    return f"{{{partition}}}:dense"


def due(partition: int) -> str:
    return f"{{{partition}}}:due"


def outbox(partition: int) -> str:
    return f"{{{partition}}}:outbox"


def handing(partition: int) -> str:
    return f"{{{partition}}}:handing"


def tail(partition: int) -> str:
    return f"{{{partition}}}:tail"


def recounts(partition: int) -> str:
    return f"{{{partition}}}:recounts"


def archive(partition: int) -> str:
    return f"{{{partition}}}:archive"


def checkpoint(partition: int) -> str:
    return f"{{{partition}}}:checkpoint"


def merged(partition: int) -> str:
    return f"{{{partition}}}:merged"


def suppressed(partition: int) -> str:
    return f"{{{partition}}}:suppressed"


def erasures(partition: int) -> str:
    return f"{{{partition}}}:erasures"


def gone(partition: int) -> str:
    return f"{{{partition}}}:gone"


def retained(partition: int) -> str:
    return f"{{{partition}}}:retained"


def served(partition: int, workspace: str) -> str:
    return f"{{{partition}}}:served:{workspace}"


def adopted(partition: int) -> str:
    return f"{{{partition}}}:adopted"


def facts(partition: int, workspace: str) -> str:
    return f"{{{partition}}}:facts:{workspace}"


def degraded(partition: int) -> str:
    return f"{{{partition}}}:degraded"


def segments(partition: int, workspace: str) -> str:
    return f"{{{partition}}}:segments:{workspace}"


def notify_head(partition: int) -> str:
    return f"{{n{partition}}}:head"


def notify_lanes(partition: int) -> str:
    return f"{{n{partition}}}:lanes"


def notify_lane(partition: int, workspace: str, subscription: str) -> str:
    return f"{{n{partition}}}:lane:{workspace}:{subscription}"


def notify_stays(partition: int, workspace: str, subscription: str) -> str:
    return f"{{n{partition}}}:stays:{workspace}:{subscription}"


def notify_dues(partition: int, workspace: str, subscription: str) -> str:
    return f"{{n{partition}}}:dues:{workspace}:{subscription}"


def notify_tries(partition: int, workspace: str, subscription: str) -> str:
    return f"{{n{partition}}}:tries:{workspace}:{subscription}"


def notify_dead(partition: int, workspace: str, subscription: str) -> str:
    return f"{{n{partition}}}:dead:{workspace}:{subscription}"


def catalog_segments(workspace: str) -> str:
    return f"{{catalog}}:segments:{workspace}"


def catalog_versions(workspace: str) -> str:
    return f"{{catalog}}:versions:{workspace}"


def catalog_audit(workspace: str) -> str:
    return f"{{catalog}}:audit:{workspace}"


def catalog_lists(workspace: str) -> str:
    return f"{{catalog}}:lists:{workspace}"


def catalog_values(workspace: str) -> str:
    return f"{{catalog}}:values:{workspace}"


def catalog_retired(workspace: str) -> str:
    return f"{{catalog}}:retired:{workspace}"


def catalog_changed(workspace: str) -> str:
    return f"{{catalog}}:changed:{workspace}"


def catalog_once(digest: str) -> str:
    return f"{{catalog}}:once:{digest}"


def names(workspace: str) -> str:
    return f"{{names}}:{workspace}"


def source_runs(workspace: str) -> str:
    return f"{{kept}}:runs:{workspace}"


def exports(workspace: str) -> str:
    return f"{{exports}}:jobs:{workspace}"


def export_turn(workspace: str, export: str) -> str:
    return f"{{exports}}:turn:{workspace}/{export}"


def frozen(workspace: str) -> str:
    return f"{{frozen}}:{workspace}"


def frozen_ids(partition: int, workspace: str, token: str) -> str:
    return f"{{{partition}}}:frozen:{workspace}:{token}"


def jobs(workspace: str) -> str:
    return f"{{jobs}}:of:{workspace}"


def job_token(workspace: str, token: str) -> str:
    return f"{{jobs}}:token:{workspace}/{token}"


def job_turn(workspace: str, job: str) -> str:
    return f"{{jobs}}:turn:{workspace}/{job}"
