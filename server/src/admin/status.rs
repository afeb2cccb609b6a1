//! `/status`: what the process is and does, as one JSON object.

use gavel_runtime::limits::{JSON_DEPTH_MAX, Limits};
use serde_json::{Value, json};

use super::overview::{Facts, Overview, Service};
use crate::limits;
use crate::log::timestamp;
use crate::metrics::Outcome;
use crate::publish::Revision;
use crate::reload::{Outcome as Loaded, Reloader, Report};

/// The answer.
pub(super) fn json(overview: &Overview) -> Value {
    let uptime = overview.started.elapsed().unwrap_or_default();
    let service = overview.service.get();
    let facts = &overview.facts;
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started": timestamp(overview.started),
        "uptimeSeconds": uptime.as_secs(),
        "stage": overview.stage().word(),
        "driver": overview.driver.get().map(|report| json!({"name": report.driver, "reason": report.reason})),
        "threads": {"decisions": facts.workers, "envoy": facts.envoy_threads},
        "connections": connections(overview),
        "listening": service.map(|service| &service.doors),
        "policies": service.map(|service| policies(&service.publisher.current())),
        "reload": overview.reloader.get().map(|reloader| reload(reloader, facts)),
        "decisions": service.map(decisions),
        "audit": service.map(|service| audit(service, &facts.audit_full)),
        "limits": all_limits(overview),
    })
}

/// Those that are open.
fn connections(overview: &Overview) -> Value {
    let served = overview.open().into_iter().map(|(serves, carriers)| {
        let counts = carriers
            .into_iter()
            .map(|(carrier, count)| (carrier.word().to_owned(), count.into()));
        (serves.to_owned(), Value::Object(counts.collect()))
    });
    Value::Object(served.collect())
}

fn policies(revision: &Revision) -> Value {
    let image = revision.image();
    json!({
        "revision": revision.number,
        "digest": revision.digest,
        "label": revision.loaded.label,
        "published": timestamp(revision.since),
        "domains": image.domains(),
        "policies": image.policies().len(),
        "mapper": revision.loaded.lens.as_ref().map(|lens| match lens {
            Ok(mapper) => json!({"name": mapper.name}),
            Err(why) => json!({"missing": why}),
        }),
    })
}

fn reload(reloader: &Reloader, facts: &Facts) -> Value {
    let (watch, source) = (facts.watch, &facts.source);
    let standing = reloader.standing();
    let counts = standing.counts();
    let counts: serde_json::Map<String, Value> = counts
        .into_iter()
        .map(|(result, count)| (result.to_owned(), count.into()))
        .collect();
    json!({
        "watching": watch,
        "counts": counts,
        "source": source,
        "checked": standing.current_at().map(timestamp),
        "last": standing.last().map(|last| report(&last)),
    })
}

/// One load.
pub(super) fn report(report: &Report) -> Value {
    let (revision, error) = match &report.outcome {
        Loaded::Loaded(number) | Loaded::Unchanged(number) => (Some(*number), None),
        Loaded::Failed(why) => (None, Some(why.as_str())),
    };
    json!({
        "result": report.outcome.word(),
        "revision": revision,
        "error": error,
        "cause": report.cause.word(),
        "at": timestamp(report.at),
        "tookMs": u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
    })
}

fn decisions(service: &Service) -> Value {
    let count = |outcome| -> u64 {
        let counters = service.counters.iter();
        counters.map(|counters| counters.outcome(outcome)).sum()
    };
    let by_outcome: serde_json::Map<String, Value> = Outcome::ALL
        .into_iter()
        .map(|outcome| (outcome.word().to_owned(), count(outcome).into()))
        .collect();
    Value::Object(by_outcome)
}

fn audit(service: &Service, full: &str) -> Value {
    let lost: u64 = service
        .counters
        .iter()
        .map(|counters| counters.records_lost.get())
        .sum();
    let look = service.audit.look();
    json!({
        "full": full,
        "lost": lost + look.lost,
        "written": look.written,
        "queueBytes": look.depth_bytes,
        "lagMs": look.lag_ns / 1_000_000,
        "errors": look.errors,
        "failing": look.failing || look.broken,
        "spool": look.spool.map(|spool| json!({
            "segments": spool.segments,
            "bytes": spool.bytes,
            "waitingBytes": spool.waiting_bytes,
        })),
    })
}

fn all_limits(overview: &Overview) -> Value {
    let budget = Limits::DEFAULT;
    let fixed: [(&str, usize); 10] = [
        ("headBytes", limits::HEAD_BYTES_MAX),
        ("headers", limits::HEADERS_MAX),
        ("targetBytes", limits::TARGET_BYTES_MAX),
        ("policyFileBytes", limits::TEXT_BYTES_MAX),
        ("imageBytes", limits::IMAGE_BYTES_MAX),
        ("batchDecisions", limits::BATCH_DECISIONS_MAX),
        ("inputDepth", JSON_DEPTH_MAX),
        ("decisionMemoryBytes", budget.arena_max_bytes),
        ("decisionCallDepth", budget.frames_max),
        ("decisionRegisters", budget.stack_cells_max),
    ];
    let numbers: [(&str, u64); 7] = [
        ("idleSeconds", limits::IDLE_SECONDS),
        ("headSeconds", limits::HEAD_SECONDS),
        ("writeSeconds", limits::WRITE_SECONDS),
        ("lingerSeconds", limits::LINGER_SECONDS),
        ("decisionMs", limits::DECISION_NS_MAX / 1_000_000),
        ("decisionSteps", budget.fuel),
        ("batchMs", limits::BATCH_NS_MAX / 1_000_000),
    ];
    let all: serde_json::Map<String, Value> = fixed
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .chain(
            numbers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into())),
        )
        .chain(
            overview
                .facts
                .limits
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).into())),
        )
        .collect();
    Value::Object(all)
}
