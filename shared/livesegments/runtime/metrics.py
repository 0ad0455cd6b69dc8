"""Every metric, named once. Times in seconds; counters end in `_total`.

Each service has a registry of its own and exports that one, so a process shows no metrics of the others.
"""

from __future__ import annotations

from functools import partial

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client import Counter as _Counter
from prometheus_client import Gauge as _Gauge
from prometheus_client import Histogram as _Histogram

INGEST, EVALUATOR, API = CollectorRegistry(), CollectorRegistry(), CollectorRegistry()
NOTIFY, CONSOLE = CollectorRegistry(), CollectorRegistry()


def _kinds(
    service: CollectorRegistry,
) -> tuple[partial[_Counter], partial[_Gauge], partial[_Histogram]]:
    return (
        partial(_Counter, registry=service),
        partial(_Gauge, registry=service),
        partial(_Histogram, registry=service),
    )


def exposition(service: CollectorRegistry) -> bytes:
    """A service's metrics, and those of its process, in Prometheus' text format."""
    return generate_latest(service) + generate_latest(REGISTRY)


_FINE_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

DEFINITIONS_UNREADABLE = _Counter(
    "livesegments_definitions_unreadable_total",
    "Records of `definitions` passed over: they are none of ours.",
    registry=None,
)
for _each in (EVALUATOR, API, NOTIFY):
    _each.register(DEFINITIONS_UNREADABLE)

Counter, Gauge, Histogram = _kinds(EVALUATOR)
EVENTS = Counter("livesegments_evaluator_events_total", "Events applied or dropped as duplicates.")
NATIVE_FAULTS = Counter(
    "livesegments_evaluator_native_faults_total",
    "Faults of the native kernel for which a partition goes on without it.",
)
NATIVE = Counter("livesegments_evaluator_native_events_total", "Events that the native kernel evaluated.")
DUPLICATES = Counter("livesegments_evaluator_duplicates_total", "Events dropped: their id was seen before.")
HANDED_OVER = Counter(
    "livesegments_evaluator_handed_over_total", "Events of merged profiles given to the others' partitions."
)
TAKEN_OVER = Counter(
    "livesegments_evaluator_taken_over_total", "Events applied that merged profiles handed over."
)
UNREADABLE = Counter(
    "livesegments_evaluator_unreadable_total", "Records of `events` that are none of ours: in `rejected`."
)
UNKNOWN_WORKSPACE = Counter(
    "livesegments_evaluator_unknown_workspace_total",
    "Events dropped: their workspace is not in the catalogue.",
)
SUPPRESSED = Counter("livesegments_evaluator_suppressed_total", "Events dropped: their profile was erased.")
ERASED = Counter("livesegments_evaluator_erased_total", "Erasures applied to a profile's state.")
REFUSED = Counter(
    "livesegments_evaluator_refused_total",
    "Events that would have brought their profile beyond a bound: in `rejected`.",
    ["bound"],
)
ASIDE = Counter(
    "livesegments_evaluator_aside_total", "Set aside because of a fault of ours: in `rejected`.", ["what"]
)
PLAN_SECONDS = Histogram(
    "livesegments_evaluator_plan_seconds", "To compile one workspace's plan.", buckets=_FINE_S
)
STATE_BYTES = Histogram(
    "livesegments_evaluator_state_bytes",
    "The stored state of a profile: of one in each commit.",
    buckets=(100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 200_000, 1_000_000),
)
OUTBOX = Gauge(
    "livesegments_evaluator_outbox_transitions", "Saved, but not acknowledged by the broker.", ["partition"]
)
DUE = Gauge(
    "livesegments_evaluator_due_profiles",
    "Due times that the clock has passed and that have not fired, as far as in memory: a storm's backlog.",
    ["partition"],
)
PLAN_FAULTS = Counter(
    "livesegments_evaluator_plan_faults_total", "Definitions of a workspace that could not be compiled."
)
TRANSITIONS = Counter("livesegments_evaluator_transitions_total", "Transitions saved.", ["kind", "cause"])
COMMITS = Counter("livesegments_evaluator_commits_total", "Commits applied.")
COMMIT_SECONDS = Histogram(
    "livesegments_evaluator_commit_seconds", "From a commit's sending to its reply.", buckets=_FINE_S
)
FENCE_REFUSALS = Counter(
    "livesegments_evaluator_fence_refusals_total",
    "Commits refused: another owner or another commit was first.",
)
RECOVERIES = Counter(
    "livesegments_evaluator_recoveries_total", "Partitions claimed anew after a failure.", ["cause"]
)
CRASHES = Counter(
    "livesegments_evaluator_crashes_total", "Faults that ended an evaluator, restarts included.", ["cause"]
)
REWINDS = Counter("livesegments_evaluator_rewinds_total", "Times that the log was read again from an offset.")
LAG = Gauge("livesegments_evaluator_lag_records", "Records of `events` not yet applied.", ["partition"])
PARTITIONS = Gauge("livesegments_evaluator_partitions", "Partitions owned.")
WAKE_LATENESS = Histogram(
    "livesegments_evaluator_wake_lateness_seconds", "From due to fired, when live.", buckets=_FINE_S
)
CLOCK_HELD = Gauge(
    "livesegments_evaluator_clock_held_seconds",
    "How far the machine's clock is ahead of the one by which due times fire; 0 where it is followed.",
)
STORM_SECONDS = Counter(
    "livesegments_evaluator_storm_seconds_total", "Where the time of storms of due times goes.", ["on"]
)
WALKED = Counter(
    "livesegments_evaluator_walked_total", "Stored profiles walked over for changed definitions."
)
BUILDING = Gauge(
    "livesegments_evaluator_building_segments",
    "Segments whose new definition waits for its history, or for its walk.",
    ["partition"],
)
BUILT = Counter("livesegments_evaluator_built_total", "Times that all that waited for history had it.")
BACKFILLED = Counter("livesegments_evaluator_backfilled_total", "Profiles given their history by new facts.")
FILLED = Counter(
    "livesegments_evaluator_filled_natively_total",
    "Profiles whose history the native kernel looked through for new facts.",
)
FILLED_LEFT = Counter(
    "livesegments_evaluator_filled_left_total",
    "Profiles whose history the native kernel left to the interpreted core, by what it can't do or read.",
    ["lacks"],
)
AUDITED = Counter("livesegments_evaluator_audited_total", "Profiles compared with what their history says.")
DRIFTED = Counter(
    "livesegments_evaluator_drifted_total",
    "Profiles that were not what their history says, and were put right.",
)
RECOUNTED = Counter("livesegments_evaluator_recounted_total", "Profiles whose retractions were carried out.")
ARCHIVED = Counter("livesegments_evaluator_archived_total", "Events written into the archive.")
RETAINED = Counter(
    "livesegments_evaluator_retained_total", "Files written anew without what is older than is kept."
)
ARCHIVED_BYTES = Counter("livesegments_evaluator_archived_bytes_total", "Bytes written into the archive.")
ARCHIVE_FAILURES = Counter(
    "livesegments_evaluator_archive_failures_total", "Times that the archive's files could not be reached."
)
CHECKPOINTS = Counter("livesegments_evaluator_checkpoints_total", "Checkpoints written and registered.")
RESTORED = Counter("livesegments_evaluator_restored_total", "Profiles restored from checkpoints.")
ANNOUNCED = Counter("livesegments_evaluator_announced_total", "Transitions acknowledged by the broker.")

Counter, Gauge, Histogram = _kinds(INGEST)
INGEST_ACCEPTED = Counter("livesegments_ingest_accepted_total", "Events acknowledged.", ["source"])
INGEST_REJECTED = Counter("livesegments_ingest_rejected_total", "Items not accepted.", ["source", "code"])
INGEST_LEFT_OUT = Counter(
    "livesegments_ingest_left_out_total",
    "Accepted changes of a profile from which odd parts were left out.",
    ["source", "code"],
)
INGEST_SUPPRESSED = Counter(
    "livesegments_ingest_suppressed_total", "Events and refusals dropped: their profile was erased."
)
INGEST_BUSY = Counter("livesegments_ingest_busy_total", "Requests told to come back later.")
INGEST_QUOTA = Counter(
    "livesegments_ingest_quota_refused_total",
    "Beyond a workspace's quota: requests (`events_per_s`, `saturated`) and events (`profiles`) refused, "
    "names that gave way to others (`names`).",
    ["quota"],
)
INGEST_SATURATED = Gauge(
    "livesegments_ingest_saturated", "1: the evaluators do not keep up with some partition of `events`."
)
INGEST_REQUESTS = Counter("livesegments_ingest_requests_total", "Answers.", ["path", "status"])
INGEST_SECONDS = Histogram(
    "livesegments_ingest_request_seconds",
    "From a request's arrival to its answer, after the broker has it.",
    ["path"],
    buckets=_FINE_S,
)
INGEST_INBOUND_LAG = Gauge(
    "livesegments_ingest_inbound_lag_records", "Records of `inbound` not yet taken, by us.", ["partition"]
)
INGEST_INBOUND_WAITING = Gauge(
    "livesegments_ingest_inbound_waiting_records",
    "Records of `inbound` that wait because their workspace has sent enough for now.",
)

Counter, Gauge, Histogram = _kinds(API)
MEMBERSHIPS_UNREADABLE = Counter(
    "livesegments_memberships_unreadable_total",
    "Records of `memberships` passed over: they are none of ours.",
)
API_REQUESTS = Counter("livesegments_api_requests_total", "Answers.", ["method", "path", "status"])
API_SECONDS = Histogram(
    "livesegments_api_request_seconds", "From a request's arrival to its answer.", ["path"], buckets=_FINE_S
)
API_QUOTA = Counter(
    "livesegments_api_quota_refused_total", "Refused because of a workspace's quota.", ["quota"]
)
API_EXPORTS = Counter("livesegments_api_exports_total", "Exports that came to their end.", ["state"])
API_JOBS = Counter("livesegments_api_jobs_total", "Jobs that came to their end.", ["kind", "state"])
API_LISTENERS = Gauge("livesegments_api_listeners", "Open streams of transitions.")
API_PUBLISHED = Counter("livesegments_api_published_total", "Changes of the catalogue in the topic.")
API_RESTORED = Counter("livesegments_api_restored_total", "Times that the catalogue was restored.")
API_PARTITION_LAG = Gauge(
    "livesegments_api_partition_lag_records",
    "Records of `events` not yet applied, as the api sees it: also while no evaluator runs.",
    ["partition"],
)
API_PARTITION_OWNED = Gauge(
    "livesegments_api_partition_owned", "1: an evaluator has the partition; 0: none.", ["partition"]
)
API_PARTITION_OUTBOX = Gauge(
    "livesegments_api_partition_outbox_commits",
    "Commits whose transitions wait for the broker.",
    ["partition"],
)
API_INBOUND_LAG = Gauge("livesegments_api_inbound_lag_records", "Records of `inbound` not yet taken.")
API_LOOKS_FAILED = Counter(
    "livesegments_api_looks_failed_total", "Times that the lags could not be read: store or broker away."
)

Counter, Gauge, Histogram = _kinds(NOTIFY)
NOTIFY_DELIVERED = Counter("livesegments_notify_delivered_total", "Transitions that receivers have taken.")
NOTIFY_FAILED = Counter("livesegments_notify_failed_total", "Attempts that failed.")
NOTIFY_DEAD = Counter(
    "livesegments_notify_dead_letters_total", "Messages tried as often as the schedule says."
)
NOTIFY_DISABLED = Counter(
    "livesegments_notify_disabled_total", "Subscriptions disabled: their receivers answered 410."
)
NOTIFY_LOST = Counter(
    "livesegments_notify_lost_records_total",
    "Records of `memberships` that the topic did not hold any more when a subscription came to them.",
)
NOTIFY_UNREADABLE = Counter(
    "livesegments_notify_unreadable_total", "Records of `memberships` passed over: they are none of ours."
)
NOTIFY_FENCE_REFUSALS = Counter(
    "livesegments_notify_fence_refusals_total", "Saves refused: another worker had the partition."
)
NOTIFY_SECONDS = Histogram(
    "livesegments_notify_attempt_seconds",
    "From a message's sending to the receiver's answer.",
    buckets=_FINE_S,
)
NOTIFY_WAITING = Gauge("livesegments_notify_waiting_messages", "Messages that are not delivered yet.")
NOTIFY_PARTITIONS = Gauge("livesegments_notify_partitions", "Partitions of `memberships` that it has.")

Counter, Gauge, Histogram = _kinds(CONSOLE)
CONSOLE_SIGN_INS = Counter(
    "livesegments_console_sign_ins_total",
    "Attempts to sign in: `ok`, `wrong_key`, `too_many`, or `no_answer` of the api.",
    ["outcome"],
)
CONSOLE_SESSIONS = Gauge("livesegments_console_sessions", "People who are signed in.")
