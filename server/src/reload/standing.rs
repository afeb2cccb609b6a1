//! What became of the reloads so far, for status and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::ask::{Cause, Outcome, Report};

/// Written by the reloader, read by anybody.
#[derive(Default)]
pub struct Standing {
    last: Mutex<Option<Report>>,
    current_at: Mutex<Option<SystemTime>>,
    loaded: AtomicU64,
    unchanged: AtomicU64,
    failed: AtomicU64,
}

impl Standing {
    pub(super) fn note(&self, report: &Report) {
        if !matches!(report.outcome, Outcome::Failed(_)) {
            *locked(&self.current_at) = Some(report.at);
            // A source that has nothing new is asked all the time; what was told before is still worth knowing.
            let is_news = self
                .last()
                .is_none_or(|last| matches!(last.outcome, Outcome::Failed(_)));
            if report.cause == Cause::Source && matches!(report.outcome, Outcome::Unchanged(_)) && !is_news {
                return;
            }
        }
        let count = match report.outcome {
            Outcome::Loaded(_) => &self.loaded,
            Outcome::Unchanged(_) => &self.unchanged,
            Outcome::Failed(_) => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        *locked(&self.last) = Some(report.clone());
    }

    /// The last load, which may be the one at the start.
    #[must_use]
    pub fn last(&self) -> Option<Report> {
        locked(&self.last).clone()
    }

    /// When what is served was last found to be as new as can be.
    #[must_use]
    pub fn current_at(&self) -> Option<SystemTime> {
        *locked(&self.current_at)
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
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
