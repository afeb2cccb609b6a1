//! `/metrics`: every family with its name, kind and meaning, and where its numbers come from.

use std::time::{SystemTime, UNIX_EPOCH};

use super::exposition::{Exposition, Family, Kind};
use super::overview::{Overview, Service, Stage};
use super::process;
use crate::metrics::{Counter, Counters, Histogram, Outcome, Snapshot};
use crate::opa;
use crate::reload::{Outcome as Loaded, Reloader};

macro_rules! families {
    ($($family:ident = $kind:ident $name:literal $help:literal;)*) => {
        $(const $family: Family = Family { name: $name, kind: Kind::$kind, help: $help };)*
    };
}

families! {
    BUILD = Gauge "gavel_build_info" "The version, in a label; always 1.";
    STARTED = Gauge "process_start_time_seconds" "When the process started, in seconds since 1970.";
    RESIDENT = Gauge "process_resident_memory_bytes" "Memory that is resident.";
    FILES = Gauge "process_open_fds" "Open file descriptors.";
    FILES_MAX = Gauge "process_max_fds" "How many file descriptors may be open.";
    READY = Gauge "gavel_ready" "1 while the process takes requests and is not about to end.";
    THREADS = Gauge "gavel_threads" "Threads that serve, by what they serve.";
    DRIVER = Gauge "gavel_io_driver_info" "The kernel interface for sockets and why it is this one, in labels; always 1.";
    DECISIONS = Counter "gavel_decisions_total" "Requests for a decision by its outcome (grant, deny, or none for what is no PORC) and the class of its reason.";
    DECISION_TIME = Histogram "gavel_decision_duration_seconds" "Time of whole decisions, from the bytes of the request to the last vote.";
    PHASE_TIME = Histogram "gavel_phase_duration_seconds" "Time of each phase of a decision; phases that asked nobody are left out.";
    OPA = Counter "gavel_opa_requests_total" "Requests to OPA's data API by what came of them; they are no decisions.";
    PANICS = Counter "gavel_panics_total" "Faults of gavel's own that were caught around a decision, which was then denied, or in a handshake, which then failed.";
    CONNECTIONS = Counter "gavel_connections_total" "Connections that were accepted.";
    OPEN = Gauge "gavel_connections_open" "Connections that are open, by what they are served and what carries them.";
    EXPIRED = Counter "gavel_connections_expired_total" "Connections that were cut because a deadline had passed.";
    EVICTED = Counter "gavel_connections_evicted_total" "Connections that waited for their clients and were closed for new ones, because there were as many as there may be.";
    HANDSHAKES_FAILED = Counter "gavel_tls_handshakes_failed_total" "Connections that ended in the TLS handshake (no TLS, or a client that is not taken), by what they were to be served.";
    CERTIFICATE_END = Gauge "gavel_tls_certificate_expiry_timestamp_seconds" "When the certificate that is shown runs out, in seconds since 1970, by what is served over TLS.";
    REFUSED = Counter "gavel_requests_refused_total" "Requests that were refused before their body was looked at.";
    SHED = Counter "gavel_requests_shed_total" "Requests for a decision that got 503 because too many were worked on.";
    LOST = Counter "gavel_audit_records_lost_total" "Access records that are missing: there was no room for them, or they could not be written.";
    LEFT_OUT = Counter "gavel_audit_records_left_out_total" "Grants that left no record because only a sample of them is asked for.";
    REVOKED = Counter "gavel_audit_grants_revoked_total" "Grants, counted as such, that were answered as denials because their record failed later.";
    WRITTEN = Counter "gavel_audit_records_written_total" "Access records that reached standard output, the file or the spool.";
    QUEUE = Gauge "gavel_audit_queue_bytes" "Bytes of access records that are handed over and not written.";
    LAG = Gauge "gavel_audit_lag_seconds" "No access record that waits to be written is older than this.";
    AUDIT_ERRORS = Counter "gavel_audit_errors_total" "Writes of access records that failed; they are tried again.";
    FAILING = Gauge "gavel_audit_failing" "1 while access records cannot be written.";
    SPOOL_SEGMENTS = Gauge "gavel_audit_spool_segments" "Files of the spool.";
    SPOOL_BYTES = Gauge "gavel_audit_spool_bytes" "Bytes of the files of the spool.";
    SPOOL_WAITING = Gauge "gavel_audit_spool_waiting_bytes" "Bytes of the spool that are not delivered.";
    REVISION = Gauge "gavel_policy_revision" "Number of the revision that is served.";
    KEPT = Gauge "gavel_policy_revisions_kept" "Revisions in memory: the one that is served, and those that threads or records on their way have yet.";
    POLICY = Gauge "gavel_policy_info" "Digest and label of the revision that is served, in labels; always 1.";
    PUBLISHED = Gauge "gavel_policy_published_timestamp_seconds" "When the revision that is served was published, in seconds since 1970.";
    RELOADS = Counter "gavel_policy_reloads_total" "Loads of policies by what came of them, the one at the start among them.";
    RELOAD_OK = Gauge "gavel_policy_last_reload_successful" "1 if the last load was valid, 0 if it failed and an older revision is served on.";
    CHECKED_AT = Gauge "gavel_policy_last_check_timestamp_seconds" "When what is served was last found to be as new as its files or source, in seconds since 1970.";
    RELOAD_AT = Gauge "gavel_policy_last_reload_timestamp_seconds" "When the last load began, in seconds since 1970.";
}

/// The text of `/metrics`.
pub(super) fn text(overview: &Overview) -> String {
    let mut out = Exposition::default();
    process_metrics(overview, &mut out);
    if let Some(service) = overview.service.get() {
        decision_metrics(service, &mut out);
        audit_metrics(service, &mut out);
        policy_metrics(service, &mut out);
    }
    if let Some(reloader) = overview.reloader.get() {
        reload_metrics(reloader, &mut out);
    }
    out.into_text()
}

fn process_metrics(overview: &Overview, out: &mut Exposition) {
    out.family(&BUILD);
    out.sample(&BUILD, &[("version", env!("CARGO_PKG_VERSION"))], 1);
    out.single(&STARTED, since_epoch(overview.started));
    let kernel = [
        (RESIDENT, process::resident_bytes()),
        (FILES, process::open_files()),
        (FILES_MAX, process::open_files_max()),
    ];
    for (family, value) in kernel {
        if let Some(value) = value {
            out.single(&family, value);
        }
    }
    out.single(&READY, u8::from(overview.stage() == Stage::Ready));
    out.family(&THREADS);
    out.sample(&THREADS, &[("serves", "decisions")], overview.facts.workers);
    out.sample(&THREADS, &[("serves", "envoy")], overview.facts.envoy_threads);
    out.family(&OPEN);
    for (serves, carriers) in overview.open() {
        for (carrier, count) in carriers {
            out.sample(&OPEN, &[("serves", serves), ("carrier", carrier.word())], count);
        }
    }
    out.family(&HANDSHAKES_FAILED);
    for (serves, count) in overview.handshakes_failed() {
        out.sample(&HANDSHAKES_FAILED, &[("serves", serves)], count);
    }
    out.family(&CERTIFICATE_END);
    let certificates = overview.service.get().map(|service| &service.certificates);
    for (serves, certificates) in certificates.into_iter().flatten() {
        if let Some(end) = certificates.end_seconds() {
            out.sample(&CERTIFICATE_END, &[("serves", serves)], end);
        }
    }
    if let Some(report) = overview.driver.get() {
        out.family(&DRIVER);
        let labels = [("driver", report.driver), ("reason", &report.reason)];
        out.sample(&DRIVER, &labels, 1);
    }
}

fn decision_metrics(service: &Service, out: &mut Exposition) {
    let all = service.counters.as_slice();
    out.family(&DECISIONS);
    for outcome in Outcome::ALL {
        let decision = if outcome.is_grant() {
            "grant"
        } else if outcome.is_refusal() {
            "none"
        } else {
            "deny"
        };
        let labels = [("decision", decision), ("reason", outcome.word())];
        out.sample(
            &DECISIONS,
            &labels,
            sum(all, |counters| counters.outcome(outcome)),
        );
    }
    out.family(&DECISION_TIME);
    out.histogram(&DECISION_TIME, &[], &times(all, |counters| &counters.decisions));
    out.family(&PHASE_TIME);
    for (index, phase) in ["operation", "identity", "resource", "scope"]
        .into_iter()
        .enumerate()
    {
        let mut phases = Snapshot::default();
        let histograms = all.iter().filter_map(|counters| counters.phases.get(index));
        histograms.for_each(|histogram| phases.add(histogram));
        out.histogram(&PHASE_TIME, &[("phase", phase)], &phases);
    }
    out.family(&OPA);
    for outcome in opa::Outcome::ALL {
        let count = sum(all, |counters| counters.opa_outcome(outcome));
        out.sample(&OPA, &[("outcome", outcome.word())], count);
    }
    let counters: [(Family, Get); 6] = [
        (PANICS, |counters| &counters.panics),
        (CONNECTIONS, |counters| &counters.connections),
        (EXPIRED, |counters| &counters.expired),
        (EVICTED, |counters| &counters.evicted),
        (REFUSED, |counters| &counters.refused),
        (SHED, |counters| &counters.shed),
    ];
    for (family, counter) in counters {
        out.single(&family, sum(all, |counters| counter(counters).get()));
    }
}

fn audit_metrics(service: &Service, out: &mut Exposition) {
    let all = service.counters.as_slice();
    let look = service.audit.look();
    out.single(
        &LOST,
        sum(all, |counters| counters.records_lost.get()) + look.lost,
    );
    out.single(&LEFT_OUT, sum(all, |counters| counters.records_left_out.get()));
    out.single(&REVOKED, sum(all, |counters| counters.grants_revoked.get()));
    out.single(&WRITTEN, look.written);
    out.single(&QUEUE, look.depth_bytes);
    let lag_ms = look.lag_ns / 1_000_000;
    out.single(&LAG, format!("{}.{:03}", lag_ms / 1000, lag_ms % 1000));
    out.single(&AUDIT_ERRORS, look.errors);
    out.single(&FAILING, u8::from(look.failing || look.broken));
    if let Some(spool) = look.spool {
        out.single(&SPOOL_SEGMENTS, spool.segments);
        out.single(&SPOOL_BYTES, spool.bytes);
        out.single(&SPOOL_WAITING, spool.waiting_bytes);
    }
}

fn policy_metrics(service: &Service, out: &mut Exposition) {
    let revision = service.publisher.current();
    out.single(&REVISION, revision.number);
    out.single(&KEPT, service.publisher.archive().count());
    out.family(&POLICY);
    let label = revision.loaded.label.as_deref().unwrap_or_default();
    out.sample(&POLICY, &[("digest", &revision.digest), ("label", label)], 1);
    out.single(&PUBLISHED, since_epoch(revision.since));
}

fn reload_metrics(reloader: &Reloader, out: &mut Exposition) {
    let standing = reloader.standing();
    out.family(&RELOADS);
    for (result, count) in standing.counts() {
        out.sample(&RELOADS, &[("result", result)], count);
    }
    if let Some(last) = standing.last() {
        let valid = !matches!(last.outcome, Loaded::Failed(_));
        out.single(&RELOAD_OK, u8::from(valid));
        out.single(&RELOAD_AT, since_epoch(last.at));
    }
    if let Some(at) = standing.current_at() {
        out.single(&CHECKED_AT, since_epoch(at));
    }
}

/// One of the counters of a thread.
type Get = fn(&Counters) -> &Counter;

fn sum(all: &[std::sync::Arc<Counters>], get: impl Fn(&Counters) -> u64) -> u64 {
    all.iter().map(|counters| get(counters)).sum()
}

fn times(all: &[std::sync::Arc<Counters>], get: impl Fn(&Counters) -> &Histogram) -> Snapshot {
    let mut times = Snapshot::default();
    all.iter().for_each(|counters| times.add(get(counters)));
    times
}

fn since_epoch(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:03}", since.as_secs(), since.subsec_millis())
}
