//! Tells stalls of the machine from those of a server: a thread on the same processor that only sleeps for a millisecond
//! at a time. Who sleeps that much is run at once when it wakes, even beside a thread that is busy, or at the next turn of
//! the scheduler, which is below 4 ms. When it wakes later than that, the hypervisor or the kernel had the processor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::run::pin;

/// How long it sleeps.
const NAP: Duration = Duration::from_millis(1);

/// A sleep that took so much longer is a stall.
const STALL: Duration = Duration::from_millis(4);

/// A time in which a processor ran nothing of ours, in ns from the witness' beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// When the thread should have run.
    pub from_ns: u64,
    /// When it ran.
    pub to_ns: u64,
}

/// A running witness.
#[derive(Debug)]
pub struct Witness {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Stall>>,
}

impl Witness {
    /// Starts one on a processor; its stalls are told in ns after `origin`.
    #[must_use]
    pub fn start(core: usize, origin: Instant) -> Witness {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut stalls = Vec::new();
            if pin(core).is_err() {
                return stalls;
            }
            while !seen.load(Ordering::Relaxed) {
                let due = Instant::now() + NAP;
                std::thread::sleep(NAP);
                let now = Instant::now();
                if now > due + STALL {
                    let at = |time: Instant| {
                        u64::try_from(time.saturating_duration_since(origin).as_nanos()).unwrap_or(u64::MAX)
                    };
                    stalls.push(Stall {
                        from_ns: at(due),
                        to_ns: at(now),
                    });
                }
            }
            stalls
        });
        Witness { stop, thread }
    }

    /// Ends it; what it saw.
    #[must_use]
    pub fn stop(self) -> Vec<Stall> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}
