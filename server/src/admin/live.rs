//! `/live.json`: what is counted and measured, for whoever asks again and again and looks at the differences.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::overview::{Overview, Service};
use super::process;
use crate::metrics::{Counter, Counters, Histogram, Outcome, Snapshot, upper_ns};

/// The answer.
pub(super) fn json(overview: &Overview) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut answer = Map::new();
    answer.insert("stage".to_owned(), overview.stage().word().into());
    answer.insert(
        "atMs".to_owned(),
        u64::try_from(now.as_millis()).unwrap_or(u64::MAX).into(),
    );
    answer.insert("memoryBytes".to_owned(), process::resident_bytes().into());
    if let Some(service) = overview.service.get() {
        answer.extend(numbers(service));
    }
    Value::Object(answer)
}

fn numbers(service: &Service) -> Map<String, Value> {
    let all = service.counters.as_slice();
    let sum = |get: fn(&Counters) -> &Counter| -> u64 { all.iter().map(|one| get(one).get()).sum() };
    let outcomes: Map<String, Value> = Outcome::ALL
        .into_iter()
        .map(|outcome| {
            let count: u64 = all.iter().map(|counters| counters.outcome(outcome)).sum();
            (outcome.word().to_owned(), count.into())
        })
        .collect();
    let phases: Map<String, Value> = ["operation", "identity", "resource", "scope"]
        .into_iter()
        .enumerate()
        .map(|(index, phase)| {
            let times = times(all, |counters| counters.phases.get(index));
            (phase.to_owned(), times_json(&times))
        })
        .collect();
    let look = service.audit.look();
    let answer = json!({
        "revision": service.publisher.current().number,
        "outcomes": outcomes,
        "decisions": times_json(&times(all, |counters| Some(&counters.decisions))),
        "phases": phases,
        "connections": sum(|counters| &counters.connections),
        "refused": sum(|counters| &counters.refused),
        "panics": sum(|counters| &counters.panics),
        "recordsLost": sum(|counters| &counters.records_lost) + look.lost,
        "recordsWritten": look.written,
        "auditFailing": look.failing || look.broken,
    });
    match answer {
        Value::Object(answer) => answer,
        _ => Map::new(),
    }
}

fn times<'c>(all: &'c [Arc<Counters>], get: impl Fn(&'c Counters) -> Option<&'c Histogram>) -> Snapshot {
    let mut times = Snapshot::default();
    let histograms = all.iter().filter_map(|counters| get(counters));
    histograms.for_each(|histogram| times.add(histogram));
    times
}

/// Quantiles since the start, and the buckets that are not empty, each with its upper bound: from those of two answers
/// follow the quantiles of the time between them.
fn times_json(times: &Snapshot) -> Value {
    let buckets: Vec<[u64; 2]> = times
        .buckets()
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(index, count)| [upper_ns(index), *count])
        .collect();
    json!({
        "count": times.count(),
        "p50Ns": times.quantile_ns(0.5),
        "p99Ns": times.quantile_ns(0.99),
        "p999Ns": times.quantile_ns(0.999),
        "buckets": buckets,
    })
}
