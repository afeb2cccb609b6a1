//! What one worker counts. One writer, any reader; no locked instruction on the hot path.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that one thread adds to and others read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds; only the owning thread may call this.
    pub fn add(&self, count: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(count),
            Ordering::Relaxed,
        );
    }

    /// The value as of some recent moment.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters of one worker, on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    /// Connections accepted.
    pub connections: Counter,
    /// Connections cut by the sweeper.
    pub expired: Counter,
    /// Decisions that granted.
    pub grants: Counter,
    /// Decisions that denied.
    pub denies: Counter,
    /// Bodies that were no PORC.
    pub malformed: Counter,
    /// Requests refused before their body was looked at.
    pub refused: Counter,
    /// Panics caught around a decision.
    pub panics: Counter,
    /// Access records that did not reach the audit thread.
    pub records_lost: Counter,
}
