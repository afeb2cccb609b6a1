//! What became of the reloads so far, for status and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ask::{Outcome, Report};

/// Written by the reloader, read by anybody.
#[derive(Default)]
pub struct Standing {
    last: Mutex<Option<Report>>,
    loaded: AtomicU64,
    unchanged: AtomicU64,
    failed: AtomicU64,
}

impl Standing {
    pub(super) fn note(&self, report: Report) {
        let count = match report.outcome {
            Outcome::Loaded(_) => &self.loaded,
            Outcome::Unchanged(_) => &self.unchanged,
            Outcome::Failed(_) => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        *self.lock() = Some(report);
    }

    /// The last load, which may be the one at the start.
    #[must_use]
    pub fn last(&self) -> Option<Report> {
        self.lock().clone()
    }

    /// Loads since the start by what came of them, the one at the start among them: in the words of [`Outcome::word`].
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 3] {
        [
            ("loaded", self.loaded.load(Ordering::Relaxed)),
            ("unchanged", self.unchanged.load(Ordering::Relaxed)),
            ("failed", self.failed.load(Ordering::Relaxed)),
        ]
    }

    fn lock(&self) -> MutexGuard<'_, Option<Report>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
