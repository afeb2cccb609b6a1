//! Tells what the machine does from what a server does: a thread on the same processor that only sleeps for a millisecond at a
//! time, and then times system calls that do nothing.
//!
//! It wakes late by a timer that fires late, or because other threads have the processor. The kernel counts the second, which
//! may be the server's doing, by itself; what is left is a stall: the hypervisor had the processor, or
//! the kernel kept interrupts off. System calls that do nothing, made once before they are timed, take the same time whatever the server does.
//! Where they take longer all the same, for some milliseconds, the machine is sluggish.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::run::{ns, pin};
use super::span::Span;

/// How long it sleeps.
const NAP: Duration = Duration::from_millis(1);

/// A timer that fires so much late is a stall.
const STALL_NS: u64 = 1_000_000;

/// System calls that are timed together: 2 us.
const CALLS_COUNT: u32 = 16;

/// How often they are timed; the least counts.
const TIMES_COUNT: u32 = 4;

/// The median of so many timings one after another tells the speed.
const WINDOW_COUNT: usize = 9;

/// Timings that are further apart than this tell nothing of the time between them.
const WINDOW_NS_MAX: u64 = 20_000_000;

/// The machine is sluggish when system calls take so much longer than usual.
const SLUGGISH_OVER_USUAL: f64 = 1.2;

/// System calls that were timed together.
#[derive(Clone, Copy, Debug)]
struct Timing {
    at_ns: u64,
    took_ns: u64,
}

/// What a witness saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// From when its timer was due until it had fired.
    pub stalls: Vec<Span>,
    /// One behind each nap.
    timings: Vec<Timing>,
}

impl Seen {
    /// What system calls take when the machine is not sluggish, in ns: at most so long in a quarter of all timings.
    #[must_use]
    pub fn usual_ns<'s>(seen: impl Iterator<Item = &'s Seen>) -> u64 {
        let mut took: Vec<u64> = seen
            .flat_map(|seen| seen.timings.iter().map(|timing| timing.took_ns))
            .collect();
        took.sort_unstable();
        took.get(took.len() / 4).copied().unwrap_or(0)
    }

    /// When system calls took longer than usual, for five timings and more of nine.
    #[must_use]
    pub fn sluggish(&self, usual_ns: u64) -> Vec<Span> {
        let bound_ns = (usual_ns as f64 * SLUGGISH_OVER_USUAL) as u64;
        let is_slow = |timing: &&Timing| timing.took_ns > bound_ns;
        let mut spans = Vec::new();
        for window in self.timings.windows(WINDOW_COUNT) {
            let mut slow = window.iter().filter(is_slow);
            let (Some(first), Some(last)) = (slow.next(), slow.next_back()) else {
                continue;
            };
            let count = window.iter().filter(is_slow).count();
            let ends = window.first().zip(window.last());
            let is_near = ends.is_some_and(|(begin, end)| end.at_ns - begin.at_ns <= WINDOW_NS_MAX);
            if count > WINDOW_COUNT / 2 && is_near {
                spans.push(Span {
                    from_ns: first.at_ns,
                    to_ns: last.at_ns,
                });
            }
        }
        spans
    }

    /// How long it watched, from its first timing to its last.
    #[must_use]
    pub fn length_ns(&self) -> u64 {
        let ends = self.timings.first().zip(self.timings.last());
        ends.map_or(0, |(first, last)| last.at_ns - first.at_ns)
    }
}

/// A stall, if a thread that was to wake at `due_ns` and woke at `woke_ns` spent too little of the time between them waiting for
/// other threads.
fn stall(due_ns: u64, woke_ns: u64, waited_ns: u64) -> Option<Span> {
    let late_ns = woke_ns.saturating_sub(due_ns).saturating_sub(waited_ns);
    (late_ns > STALL_NS).then_some(Span {
        from_ns: due_ns,
        to_ns: due_ns + late_ns,
    })
}

/// A running witness.
#[derive(Debug)]
pub struct Witness {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Seen, String>>,
}

impl Witness {
    /// Starts one on a processor; what it sees is told in ns after `origin`.
    #[must_use]
    pub fn start(core: usize, origin: Instant) -> Witness {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            pin(core)?;
            watch(&ended, origin).map_err(|error| format!("the witness: {error}"))
        });
        Witness { stop, thread }
    }

    /// Ends it; what it saw.
    ///
    /// # Errors
    /// It could not watch.
    pub fn stop(self) -> Result<Seen, String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| "the witness ended early".to_owned())?
    }
}

fn watch(ended: &AtomicBool, origin: Instant) -> std::io::Result<Seen> {
    let mut seen = Seen::default();
    let times = File::open("/proc/thread-self/schedstat")?;
    let at = |time: Instant| ns(time.saturating_duration_since(origin));
    while !ended.load(Ordering::Relaxed) {
        let before_ns = waited_ns(&times)?;
        let due = Instant::now() + NAP;
        std::thread::sleep(NAP);
        let woke = Instant::now();
        let waited_ns = waited_ns(&times)?.saturating_sub(before_ns);
        seen.stalls.extend(stall(at(due), at(woke), waited_ns));
        call();
        let took = (0..TIMES_COUNT).map(|_| {
            let began = Instant::now();
            call();
            ns(began.elapsed())
        });
        seen.timings.push(Timing {
            at_ns: at(woke),
            took_ns: took.min().unwrap_or(0),
        });
    }
    Ok(seen)
}

/// System calls that do nothing.
fn call() {
    for _ in 0..CALLS_COUNT {
        black_box(rustix::thread::gettid());
    }
}

/// For how long the calling thread could have run and another one did: the second number of its `schedstat`.
fn waited_ns(times: &File) -> std::io::Result<u64> {
    let mut text = [0; 64];
    let length = times.read_at(&mut text, 0)?;
    let text = text.get(..length).unwrap_or_default();
    let second = std::str::from_utf8(text)
        .unwrap_or_default()
        .split_whitespace()
        .nth(1);
    second
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| std::io::Error::other("schedstat has no second number"))
}

#[cfg(test)]
mod tests {
    use super::super::span::Union;
    use super::{Seen, Span, Timing, stall};

    /// System calls timed each `every_ms`, in runs of so many that took so long.
    fn seen(every_ms: u64, runs: &[(usize, u64)]) -> Seen {
        let took = runs
            .iter()
            .flat_map(|(times, took_ns)| std::iter::repeat_n(*took_ns, *times));
        let timings = took.zip(0..).map(|(took_ns, at)| Timing {
            at_ns: at * every_ms * 1_000_000,
            took_ns,
        });
        Seen {
            stalls: Vec::new(),
            timings: timings.collect(),
        }
    }

    /// ms of it that are sluggish.
    fn sluggish_ms(seen: &Seen, usual_ns: u64) -> u64 {
        Union::of(seen.sluggish(usual_ns)).length_ns() / 1_000_000
    }

    #[test]
    fn sluggish_is_what_takes_longer_for_a_while() {
        // Four timings alone are noise; of nine, five tell: from the first of 21 to the last are 20 ms.
        let runs = [
            (50, 2300),
            (4, 3100),
            (46, 2300),
            (21, 3100),
            (50, 2300),
            (5, 3100),
            (50, 2300),
        ];
        assert_eq!(sluggish_ms(&seen(1, &runs), 2300), 20 + 4);
        assert_eq!(
            sluggish_ms(&seen(1, &[(50, 2300), (21, 3100), (50, 2300)]), 2300),
            20
        );
        // The bound is 1.2 of 2,300.
        assert_eq!(sluggish_ms(&seen(1, &[(100, 2760)]), 2300), 0);
        assert_eq!(sluggish_ms(&seen(1, &[(100, 2761)]), 2300), 99);
        // What is 4 ms apart tells nothing of the time between.
        assert_eq!(sluggish_ms(&seen(4, &[(100, 3100)]), 2300), 0);
        assert_eq!(sluggish_ms(&seen(1, &[]), 2300), 0);
    }

    #[test]
    fn usual_is_what_a_quarter_of_all_timings_takes() {
        let parts = [seen(1, &[(30, 2300), (10, 3100)]), seen(1, &[(80, 3100)])];
        assert_eq!(Seen::usual_ns(parts.iter()), 3100);
        assert_eq!(Seen::usual_ns(parts.iter().take(1)), 2300);
        let parts = [seen(1, &[(31, 2300), (9, 3100)]), seen(1, &[(80, 3100)])];
        assert_eq!(Seen::usual_ns(parts.iter()), 2300);
        assert_eq!(Seen::usual_ns([].iter()), 0);
    }

    #[test]
    fn a_stall_is_a_timer_that_fires_late() {
        let span = |from_ns, to_ns| Some(Span { from_ns, to_ns });
        assert_eq!(stall(5_000_000, 6_000_000, 0), None);
        assert_eq!(stall(5_000_000, 6_000_001, 0), span(5_000_000, 6_000_001));
        // Other threads had the processor for 3 ms of 7.
        assert_eq!(
            stall(5_000_000, 12_000_000, 3_000_000),
            span(5_000_000, 9_000_000)
        );
        assert_eq!(stall(5_000_000, 12_000_000, 6_000_000), None);
        assert_eq!(stall(5_000_000, 4_000_000, 0), None);
    }
}
