//! How a worker wakes the audit thread without a system call for every record.
//!
//! The audit thread polls while there is work and for a while after it; then it says that it sleeps. Only a worker that
//! sees this pays for a wake-up. The flag is read without a fence, so a wake-up may be missed once in a great while; the
//! sleep is bounded for that reason. Where answers wait for their records no time is lost: the audit thread sleeps at
//! once, and who waits makes sure that it does not.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

const NAP: Duration = Duration::from_millis(1);
const NAPS_BEFORE_SLEEP: u32 = 16;
const SLEEP_MAX: Duration = Duration::from_millis(50);

/// Shared between the audit thread and all workers.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    sleeping: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Wake {
    /// Called by a worker after it put a record into its ring.
    pub(crate) fn notify(&self) {
        if self.sleeping.load(Ordering::Relaxed) {
            self.rouse();
        }
    }

    /// The same for a worker that waits for its record: the wake-up is not missed.
    pub(crate) fn summon(&self) {
        if self.sleeping.swap(false, Ordering::SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// Wakes the audit thread whatever it does.
    #[cold]
    pub(crate) fn rouse(&self) {
        self.sleeping.swap(false, Ordering::SeqCst);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Called by the audit thread once it found all rings empty for the `idle`th time in a row.
    pub(crate) fn wait(&self, idle: u32) {
        if idle < NAPS_BEFORE_SLEEP {
            thread::sleep(NAP);
            return;
        }
        self.sleep(|| false);
    }

    /// The same where workers wait for their records. `found`: whether there is work after all.
    pub(crate) fn sleep(&self, found: impl FnOnce() -> bool) {
        let _ = self.thread.set(thread::current());
        // Either a worker sees this and wakes, or its record is seen here: all writes of the flag are exchanges, so that
        // this one comes after everything that was done before the last of them.
        self.sleeping.swap(true, Ordering::SeqCst);
        if !found() {
            thread::park_timeout(SLEEP_MAX);
        }
        self.sleeping.swap(false, Ordering::SeqCst);
    }
}
