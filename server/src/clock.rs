//! The clock that durations and deadlines are measured on: as CLOCK_MONOTONIC, at a third of its price.
//!
//! A decision reads it half a dozen times. Where the kernel itself keeps time by the processor's counter, a thread reads that
//! counter, and asks the kernel what the counter means once a second. Everywhere else the kernel is asked each time.

use std::cell::Cell;
use std::fs::File;
use std::io::Read as _;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::sys;

/// Nanoseconds of a clock that goes forward; its start means nothing. Threads agree up to microseconds.
#[must_use]
pub fn monotonic_ns() -> u64 {
    SCALE.with(|scale| {
        let known = scale.get();
        if known.span_ticks > 0
            && let Some(now_ns) = known.at(sys::ticks())
        {
            return now_ns;
        }
        renew(scale)
    })
}

thread_local! {
    static SCALE: Cell<Scale> = const { Cell::new(Scale::UNKNOWN) };
}

/// Shortest time over which the counter's pace is measured.
const MEASURED_NS_MIN: u64 = 10_000_000;

/// Longest time for which the kernel is not asked.
const SPAN_NS_MAX: u64 = 1_000_000_000;

/// A pace that differs by more than one in so many from the one before is none: the machine slept.
const PACE_TOLERANCE: u64 = 1024;

/// Ticks that asking the kernel takes at most; more: something came in between, and the counter was not read when the clock was.
const ASKING_TICKS_MAX: u64 = 10_000;

/// How often that is tried.
const ASKED_MAX: u32 = 3;

/// What the counter means from a certain time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scale {
    /// The counter at that time.
    ticks: u64,
    /// The time.
    ns: u64,
    /// Nanoseconds of 2^32 ticks; 0: unknown.
    pace: u64,
    /// For so many ticks this holds. 0: it does not.
    span_ticks: u64,
}

impl Scale {
    const UNKNOWN: Scale = Scale {
        ticks: 0,
        ns: 0,
        pace: 0,
        span_ticks: 0,
    };

    /// The time of a reading of the counter, if this still holds. A counter that went back is far ahead.
    #[inline(always)]
    fn at(&self, ticks: u64) -> Option<u64> {
        let since = ticks.wrapping_sub(self.ticks);
        // A second at the pace of a counter fits into 62 bits.
        (since < self.span_ticks).then(|| self.ns + ((since * self.pace) >> 32))
    }

    /// What holds from now on, when the counter and the kernel's clock say this.
    fn renewed(self, ticks: u64, ns: u64) -> Scale {
        let begun = Scale {
            ticks,
            ns,
            ..Scale::UNKNOWN
        };
        let passed = (ticks.checked_sub(self.ticks), ns.checked_sub(self.ns));
        let (Some(passed_ticks), Some(passed_ns)) = passed else {
            return begun;
        };
        if self == Scale::UNKNOWN {
            return begun;
        }
        if passed_ns < MEASURED_NS_MIN {
            // Too early, or the counter runs far too fast for what it was.
            return if self.pace == 0 { self } else { begun };
        }
        let pace = (u128::from(passed_ns) << 32) / u128::from(passed_ticks.max(1));
        // The counter runs at 100 MHz at least: then the product in `at` does not overflow.
        let Some(pace) = u64::try_from(pace).ok().filter(|pace| *pace <= 10 << 32) else {
            return begun;
        };
        if self.pace > 0 && pace.abs_diff(self.pace) > self.pace / PACE_TOLERANCE {
            return begun;
        }
        // What was measured over a short time does not hold for long.
        let span_ns = SPAN_NS_MAX.min(passed_ns.saturating_mul(4));
        let span_ticks = (u128::from(span_ns) << 32) / u128::from(pace.max(1));
        // A time that was told is not told again.
        let told_ns = self.ns + ((u128::from(passed_ticks) * u128::from(self.pace)) >> 32) as u64;
        Scale {
            ticks,
            ns: ns.max(told_ns),
            pace,
            span_ticks: u64::try_from(span_ticks).unwrap_or(0),
        }
    }
}

/// Asks the kernel for the time, and what the counter means from now on.
#[cold]
#[inline(never)]
fn renew(scale: &Cell<Scale>) -> u64 {
    if !is_kernels_clock() {
        return sys::monotonic_ns();
    }
    for _ in 0..ASKED_MAX {
        let before = sys::ticks();
        let ns = sys::monotonic_ns();
        let ticks = sys::ticks();
        if ticks.wrapping_sub(before) <= ASKING_TICKS_MAX {
            let known = scale.get();
            let renewed = known.renewed(ticks, ns);
            scale.set(renewed);
            if known.pace > 0 && renewed.pace == 0 {
                // Why does not matter: the machine slept, or the counter is none any more, which the kernel would know.
                KERNELS_CLOCK.store(UNKNOWN, Ordering::Relaxed);
            }
            return renewed.at(ticks).unwrap_or(ns);
        }
    }
    scale.set(Scale::UNKNOWN);
    sys::monotonic_ns()
}

/// What was found out about the kernel's clock.
static KERNELS_CLOCK: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const COUNTER: u8 = 1;
const OTHER: u8 = 2;

/// Whether the kernel keeps time by the processor's counter: then it runs at one pace, in sleep states too, and on all cores alike.
/// The kernel watches that, and takes another clock where it does not hold.
fn is_kernels_clock() -> bool {
    let mut known = KERNELS_CLOCK.load(Ordering::Relaxed);
    if known == UNKNOWN {
        // Without the allocator: a decision may be what asks.
        let mut name = [0; 16];
        let read = File::open("/sys/devices/system/clocksource/clocksource0/current_clocksource")
            .and_then(|mut file| file.read(&mut name));
        let is_counter = read.is_ok_and(|bytes| name.get(..bytes) == Some(b"tsc\n"));
        known = if is_counter && sys::has_ticks() {
            COUNTER
        } else {
            OTHER
        };
        KERNELS_CLOCK.store(known, Ordering::Relaxed);
    }
    known == COUNTER
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MS: u64 = 1_000_000;

    /// A counter of 2 GHz that began at a billion, when the clock was at 5 s.
    fn ticks_at(ns: u64) -> u64 {
        1_000_000_000 + (ns - 5_000 * MS) * 2
    }

    fn after(scale: Scale, ns: u64) -> Scale {
        scale.renewed(ticks_at(ns), ns)
    }

    #[test]
    fn a_pace_is_measured_and_holds_for_a_while() {
        let begun = after(Scale::UNKNOWN, 5_000 * MS);
        assert_eq!(begun.at(begun.ticks), None);
        assert_eq!(after(begun, 5_009 * MS), begun);
        let short = after(begun, 5_010 * MS);
        assert_eq!(short.at(ticks_at(5_010 * MS)), Some(5_010 * MS));
        assert_eq!(short.at(ticks_at(5_049 * MS)), Some(5_049 * MS));
        assert_eq!(short.at(ticks_at(5_051 * MS)), None);
        let long = after(short, 5_900 * MS);
        assert_eq!(long.at(ticks_at(6_899 * MS)), Some(6_899 * MS));
        assert_eq!(long.at(ticks_at(6_901 * MS)), None);
    }

    #[test]
    fn a_counter_that_went_back_or_a_machine_that_slept_starts_anew() {
        let known = after(after(Scale::UNKNOWN, 5_000 * MS), 5_500 * MS);
        assert!(known.span_ticks > 0);
        assert_eq!(known.at(known.ticks - 1), None);
        let begun = |ticks, ns| Scale {
            ticks,
            ns,
            ..Scale::UNKNOWN
        };
        let renewed = |ticks, ns| known.renewed(ticks, ns);
        assert_eq!(renewed(77, 7_000 * MS), begun(77, 7_000 * MS));
        // The counter ran for an hour, the clock for two seconds.
        let ticks = ticks_at(3_600_000 * MS);
        assert_eq!(renewed(ticks, 7_500 * MS), begun(ticks, 7_500 * MS));
        assert_eq!(renewed(ticks, 5_501 * MS), begun(ticks, 5_501 * MS));
    }

    #[test]
    fn a_counter_that_ran_ahead_waits() {
        let known = after(after(Scale::UNKNOWN, 5_000 * MS), 6_000 * MS);
        let ticks = ticks_at(7_000 * MS);
        let renewed = known.renewed(ticks, 7_000 * MS - 300);
        assert_eq!(renewed.at(ticks), Some(7_000 * MS));
        assert!(renewed.pace < known.pace);
    }

    #[test]
    fn it_goes_with_the_kernels_clock_and_never_back() {
        let begun = std::time::Instant::now();
        let mut last = monotonic_ns();
        while begun.elapsed() < Duration::from_millis(80) {
            let (before, now, after) = (sys::monotonic_ns(), monotonic_ns(), sys::monotonic_ns());
            assert!(now >= last);
            assert!(now + MS > before && now < after + MS, "{before} {now} {after}");
            last = now;
        }
    }
}
