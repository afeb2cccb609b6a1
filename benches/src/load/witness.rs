//! Tells what the machine does from what a server does: a thread on the same processor that only sleeps for a millisecond at a
//! time, and then makes some system calls that do nothing.
//!
//! Who sleeps that much is run at once when it wakes, even beside a thread that is busy, or at the next turn of the
//! scheduler, which is below 4 ms. When it wakes later than that, the hypervisor or the kernel had the processor: a stall.
//! System calls that do nothing take the same time whatever the server does. A virtual machine can have two speeds of them
//! all the same, a third and more apart, for 10 to 900 ms at a time, also where no server runs; a server, which is in the
//! kernel most of its time, then serves half as much.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::run::{ns, pin};

/// How long it sleeps.
const NAP: Duration = Duration::from_millis(1);

/// A sleep that took so much longer is a stall.
const STALL: Duration = Duration::from_millis(4);

/// System calls that are timed together: 2 us.
const CALLS: u32 = 16;

/// So many timings one after another tell a speed by their median.
const SPEED_TIMINGS: usize = 9;

/// The machine is slow when system calls take so much longer than in the fastest quarter of the time.
const SLOW: f64 = 1.2;

/// A time in which a processor did not do what it usually does, in ns after the origin of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub from_ns: u64,
    /// When it was over.
    pub to_ns: u64,
}

impl Span {
    /// How long it was.
    #[must_use]
    pub fn length_ns(self) -> u64 {
        self.to_ns.saturating_sub(self.from_ns)
    }

    /// The two have a moment in common.
    #[must_use]
    pub fn meets(self, other: Span) -> bool {
        self.from_ns < other.to_ns && other.from_ns < self.to_ns
    }
}

/// System calls that were timed together.
#[derive(Clone, Copy, Debug)]
struct Timing {
    at_ns: u64,
    took_ns: u64,
}

/// What a witness saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// From when the thread should have run until it did.
    pub stalls: Vec<Span>,
    timings: Vec<Timing>,
}

impl Seen {
    /// When system calls took longer than usual, for some milliseconds at least.
    #[must_use]
    pub fn slow(&self) -> Vec<Span> {
        let mut took: Vec<u64> = self.timings.iter().map(|timing| timing.took_ns).collect();
        took.sort_unstable();
        let usual_ns = took.get(took.len() / 4).copied().unwrap_or(0) as f64;
        let mut spans: Vec<Span> = Vec::new();
        for window in self.timings.windows(SPEED_TIMINGS) {
            let mut took: Vec<u64> = window.iter().map(|timing| timing.took_ns).collect();
            took.sort_unstable();
            let (Some(first), Some(last)) = (window.first(), window.last()) else {
                continue;
            };
            let Some(median_ns) = took.get(took.len() / 2) else {
                continue;
            };
            if *median_ns as f64 <= SLOW * usual_ns {
                continue;
            }
            match spans.last_mut() {
                Some(span) if span.to_ns >= first.at_ns => span.to_ns = last.at_ns,
                _ => spans.push(Span {
                    from_ns: first.at_ns,
                    to_ns: last.at_ns,
                }),
            }
        }
        spans
    }
}

/// A running witness.
#[derive(Debug)]
pub struct Witness {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Witness {
    /// Starts one on a processor; what it sees is told in ns after `origin`.
    #[must_use]
    pub fn start(core: usize, origin: Instant) -> Witness {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            if pin(core).is_err() {
                return seen;
            }
            let at = |time: Instant| ns(time.saturating_duration_since(origin));
            while !ended.load(Ordering::Relaxed) {
                let due = Instant::now() + NAP;
                std::thread::sleep(NAP);
                let now = Instant::now();
                for _ in 0..CALLS {
                    black_box(rustix::thread::gettid());
                }
                seen.timings.push(Timing {
                    at_ns: at(now),
                    took_ns: ns(now.elapsed()),
                });
                if now > due + STALL {
                    seen.stalls.push(Span {
                        from_ns: at(due),
                        to_ns: at(now),
                    });
                }
            }
            seen
        });
        Witness { stop, thread }
    }

    /// Ends it; what it saw.
    #[must_use]
    pub fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, Span, Timing};

    /// System calls timed each millisecond, in runs of so many that took so long.
    fn seen(runs: &[(u64, u64)]) -> Seen {
        let took = runs
            .iter()
            .flat_map(|(times, took_ns)| (0..*times).map(|_| *took_ns));
        let timings = took.zip(0..).map(|(took_ns, at_ms)| Timing {
            at_ns: at_ms * 1_000_000,
            took_ns,
        });
        Seen {
            stalls: Vec::new(),
            timings: timings.collect(),
        }
    }

    fn ms(span: &Span) -> (u64, u64) {
        (span.from_ns / 1_000_000, span.to_ns / 1_000_000)
    }

    #[test]
    fn slow_is_what_takes_longer_for_a_while() {
        // Four timings alone are noise; of nine, five tell. The first window with five is 96 to 104, the last 116 to 124.
        let slow = seen(&[(50, 2300), (4, 3100), (46, 2300), (21, 3100), (100, 2300)]).slow();
        assert_eq!(slow.iter().map(ms).collect::<Vec<_>>(), [(96, 124)]);
        // 15% is no other speed.
        assert_eq!(seen(&[(100, 2300), (100, 2645)]).slow(), []);
        // The usual speed is that of the fastest quarter, also where the machine is slow most of the time.
        let slow = seen(&[(60, 2300), (140, 3100)]).slow();
        assert_eq!(slow.iter().map(ms).collect::<Vec<_>>(), [(56, 199)]);
        assert_eq!(seen(&[]).slow(), []);
    }
}
