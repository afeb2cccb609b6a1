//! When to try again what failed: soon, then less and less often, once a second at last.

use std::time::{Duration, Instant};

use crate::limits;

/// Failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Retry {
    due: Option<Instant>,
    pause: Duration,
}

impl Retry {
    /// It failed now.
    pub(crate) fn later(&mut self, now: Instant) {
        let first = Duration::from_millis(limits::AUDIT_RETRY_MS_MIN);
        let most = Duration::from_millis(limits::AUDIT_RETRY_MS_MAX);
        self.pause = (self.pause * 2).clamp(first, most);
        self.due = Some(now + self.pause);
    }

    /// It failed and is not to be tried yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.due.is_some_and(|due| Instant::now() < due)
    }
}
