//! What one thread that serves counts and measures.

use crate::metrics::counter::Counter;
use crate::metrics::histogram::Histogram;
use crate::metrics::open::Open;
use crate::metrics::outcome::Outcome;
use crate::opa;
use gavel_runtime::decision::Decision;

/// Counters and histograms of one thread, on cache lines of their own. Some 15 KiB, of which the histograms' pages are
/// touched by the first decision.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    /// Connections accepted.
    pub connections: Counter,
    /// Connections that are open.
    pub open: Open,
    /// Connections cut by the sweeper.
    pub expired: Counter,
    /// Connections that went for others, because there were as many as there may be.
    pub evicted: Counter,
    /// Requests that got 503 because too many were worked on.
    pub shed: Counter,
    /// Connections whose TLS handshake failed.
    pub handshakes_failed: Counter,
    /// Requests refused before their body was looked at.
    pub refused: Counter,
    /// Panics caught around a decision.
    pub panics: Counter,
    /// Access records that did not reach the audit thread.
    pub records_lost: Counter,
    /// Grants that are not recorded because only a sample of them is asked for.
    pub records_left_out: Counter,
    /// Grants that were counted and answered as denials, because what became of their records was heard later.
    pub grants_revoked: Counter,
    outcomes: [Counter; Outcome::ALL.len()],
    opa: [Counter; opa::Outcome::ALL.len()],
    /// Time of each phase in the order of [`gavel_runtime::decision::Phase`]; phases that asked nobody are left out.
    pub phases: [Histogram; 4],
    /// Time of whole decisions, from the bytes of the request to the last vote.
    pub decisions: Histogram,
}

impl Counters {
    /// Counts the end of a request; only the owning thread may call this.
    #[inline]
    pub fn ended(&self, outcome: Outcome) {
        if let Some(counter) = self.outcomes.get(outcome as usize) {
            counter.add(1);
        }
    }

    /// Counts the end of a request to OPA's data API; only the owning thread may call this.
    pub fn opa_ended(&self, outcome: opa::Outcome) {
        if let Some(counter) = self.opa.get(outcome as usize) {
            counter.add(1);
        }
    }

    /// Requests to OPA's data API that ended like this.
    #[must_use]
    pub fn opa_outcome(&self, outcome: opa::Outcome) -> u64 {
        self.opa.get(outcome as usize).map_or(0, Counter::get)
    }

    /// Measures a decision; only the owning thread may call this.
    #[inline]
    pub fn measure(&self, decision: &Decision<'_>) {
        let Some(phases_ns) = decision.phases_ns else {
            return;
        };
        for (histogram, time_ns) in self.phases.iter().zip(phases_ns) {
            if time_ns > 0 {
                histogram.record(time_ns);
            }
        }
        self.decisions.record(decision.overall_ns);
    }

    /// Requests that ended like this.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome as usize).map_or(0, Counter::get)
    }

    /// Decisions that granted.
    #[must_use]
    pub fn grants(&self) -> u64 {
        self.sum(Outcome::is_grant)
    }

    /// Decisions that denied.
    #[must_use]
    pub fn denies(&self) -> u64 {
        self.sum(|outcome| !outcome.is_grant() && !outcome.is_refusal())
    }

    /// Bodies over which nothing was decided.
    #[must_use]
    pub fn malformed(&self) -> u64 {
        self.sum(Outcome::is_refusal)
    }

    fn sum(&self, wanted: impl Fn(Outcome) -> bool) -> u64 {
        Outcome::ALL
            .into_iter()
            .filter(|outcome| wanted(*outcome))
            .map(|outcome| self.outcome(outcome))
            .sum()
    }
}
