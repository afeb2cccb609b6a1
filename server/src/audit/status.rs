//! How the audit is doing, for whoever wants to know from any thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::audit::ledger::Ledger;
use crate::audit::spool::Shared;
use crate::clock;

/// How far the audit thread has come: what it writes with every record or turn, on cache lines of their own. Workers read what
/// lies beside it with every record of theirs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Progress {
    /// Frames that were taken out of any ring.
    pub(crate) taken: AtomicU64,
    /// Records that reached the output.
    pub(crate) written: AtomicU64,
    /// Up to this moment (monotonic, ns) everything is written.
    pub(crate) clean_ns: AtomicU64,
}

/// Shared by all; written by the audit thread.
#[derive(Debug, Default)]
pub(crate) struct Status {
    pub(crate) ledgers: Vec<Arc<Ledger>>,
    pub(crate) progress: Progress,
    /// Records that the audit thread took and could not write.
    pub(crate) lost: AtomicU64,
    /// Writes that failed.
    pub(crate) errors: AtomicU64,
    /// The last write failed; it is tried again.
    pub(crate) failing: AtomicBool,
    /// Nothing is written any more: the reader is gone, or the audit thread.
    pub(crate) broken: AtomicBool,
    /// Files are to be opened again, by the audit thread and by the one that delivers from the spool.
    pub(crate) reopen: AtomicBool,
    pub(crate) reopen_behind: AtomicBool,
    pub(crate) spool: Option<Arc<Shared>>,
}

/// One look at the audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes that workers handed over and that are not written.
    pub depth_bytes: u64,
    /// No record that is not written is older than this; 0 if all are written.
    pub lag_ns: u64,
    /// Records that reached the output.
    pub written: u64,
    /// Records that were taken from the workers and could not be written. Those that workers could not hand over are in
    /// [`crate::metrics::Counters::records_lost`]; both together are what is missing.
    pub lost: u64,
    /// Writes that failed.
    pub errors: u64,
    /// The last write failed; it is tried again.
    pub failing: bool,
    /// Nothing is written any more.
    pub broken: bool,
    /// The spool, if there is one.
    pub spool: Option<SpoolLook>,
}

/// One look at a spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolLook {
    /// Files.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that are not delivered.
    pub waiting_bytes: u64,
}

impl Status {
    /// A write failed.
    pub(crate) fn count_error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the thread that delivers is to open its file again; once.
    pub(crate) fn reopen_delivery(&self) -> bool {
        self.reopen_behind.swap(false, Ordering::Acquire)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let depth_bytes = self.ledgers.iter().map(|ledger| ledger.depth()).sum();
        let since_ns = clock::monotonic_ns().saturating_sub(self.progress.clean_ns.load(Ordering::Relaxed));
        Snapshot {
            depth_bytes,
            lag_ns: if depth_bytes == 0 { 0 } else { since_ns },
            written: self.progress.written.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            failing: self.failing.load(Ordering::Relaxed),
            broken: self.broken.load(Ordering::Relaxed),
            spool: self.spool.as_ref().map(|spool| spool.look()),
        }
    }
}
