//! Which kernel interface a core runs on, and why.
//!
//! The ladder is io_uring with 1024 entries, io_uring with 256, epoll; a ring is tuned as far as the kernel knows how.
//! Clusters block io_uring by default and the memory of all rings of one user id counts against one limit, so every step
//! must be expected to fail. Each step down is told of with its reason.

use std::future::Future;
use std::io;

use monoio::{FusionRuntime, IoUringDriver, LegacyDriver, RuntimeBuilder};

use crate::error::reason_and_limit;

const ENTRIES: [u32; 2] = [1024, 256];

/// How a ring is set up, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tuning {
    /// One thread submits, and completions are worked on when it asks for them: they come in batches, and no interrupt
    /// takes the core from a decision. Since Linux 6.1.
    SingleDeferred,
    /// Completions do not interrupt the thread. Since Linux 5.19.
    Cooperative,
    /// As every kernel with io_uring has it.
    Plain,
}

const TUNINGS: [Tuning; 3] = [Tuning::SingleDeferred, Tuning::Cooperative, Tuning::Plain];

impl Tuning {
    const fn words(self) -> &'static str {
        match self {
            Tuning::SingleDeferred => "single_issuer, defer_taskrun",
            Tuning::Cooperative => "coop_taskrun",
            Tuning::Plain => "no tuning",
        }
    }
}

/// What the operator asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DriverChoice {
    /// io_uring where the kernel lets us, else epoll.
    #[default]
    Auto,
    /// io_uring or a start-up error.
    Uring,
    /// epoll.
    Epoll,
}

/// What a core got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverReport {
    /// `io_uring` or `epoll`.
    pub driver: &'static str,
    /// Why this one, for people.
    pub reason: String,
    /// What was tried before and why it did not work, in order.
    pub fallbacks: Vec<String>,
}

/// The event loop of one thread. Built on the thread that runs it.
pub struct Core(FusionRuntime<IoUringDriver, LegacyDriver>);

impl Core {
    /// Climbs down the ladder until a driver starts.
    ///
    /// # Errors
    /// Says why none of the allowed drivers started.
    pub fn build(choice: DriverChoice) -> Result<(Core, DriverReport), String> {
        let mut fallbacks = Vec::new();
        let mut reason = "asked for".to_owned();
        if choice != DriverChoice::Epoll {
            match build_uring(&mut fallbacks) {
                Ok((core, reason)) => {
                    let report = DriverReport {
                        driver: "io_uring",
                        reason,
                        fallbacks,
                    };
                    return Ok((core, report));
                }
                Err(refused) if choice == DriverChoice::Uring => return Err(refused),
                Err(refused) => reason = refused,
            }
        }
        let runtime = RuntimeBuilder::<LegacyDriver>::new()
            .build()
            .map_err(|e| format!("epoll: {}", reason_and_limit(&e)))?;
        let report = DriverReport {
            driver: "epoll",
            reason,
            fallbacks,
        };
        Ok((Core(FusionRuntime::Legacy(runtime)), report))
    }

    /// Whether this core completes operations itself (io_uring) rather than waiting for readiness (epoll).
    #[must_use]
    pub fn is_uring(&self) -> bool {
        matches!(self.0, FusionRuntime::Uring(_))
    }

    /// Runs a future and everything that it spawns until the future is ready.
    pub fn run<F: Future>(&mut self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

/// The core and how its ring is set up, or why there is none.
fn build_uring(fallbacks: &mut Vec<String>) -> Result<(Core, String), String> {
    let (runtime, entries, tuning) = climb_down(ring, fallbacks)?;
    if !monoio::utils::detect_uring() {
        return Err(
            "io_uring lacks operations that we need, or MONOIO_FORCE_LEGACY_DRIVER is set".to_owned(),
        );
    }
    let reason = format!("{entries} entries, {}", tuning.words());
    Ok((Core(FusionRuntime::Uring(runtime)), reason))
}

/// The first rung on which `build` succeeds. A kernel that does not know a tuning says so (EINVAL) for any size; any other
/// error is one of the size, or there is no io_uring at all.
fn climb_down<R>(
    build: impl Fn(u32, Tuning) -> io::Result<R>,
    fallbacks: &mut Vec<String>,
) -> Result<(R, u32, Tuning), String> {
    let mut tunings = TUNINGS.as_slice();
    let mut last = String::new();
    for entries in ENTRIES {
        while let [tuning, rest @ ..] = tunings {
            match build(entries, *tuning) {
                Ok(ring) => return Ok((ring, entries, *tuning)),
                Err(error) => {
                    let unknown = error.raw_os_error() == Some(libc::EINVAL) && !rest.is_empty();
                    last = explain(entries, *tuning, &error);
                    fallbacks.push(last.clone());
                    if !unknown {
                        break;
                    }
                    tunings = rest;
                }
            }
        }
    }
    Err(last)
}

fn ring(entries: u32, tuning: Tuning) -> io::Result<monoio::Runtime<IoUringDriver>> {
    let mut ring = io_uring::IoUring::builder();
    match tuning {
        Tuning::SingleDeferred => ring.setup_single_issuer().setup_defer_taskrun(),
        Tuning::Cooperative => ring.setup_coop_taskrun(),
        Tuning::Plain => &mut ring,
    };
    RuntimeBuilder::<IoUringDriver>::new()
        .with_entries(entries)
        .uring_builder(ring)
        .build()
}

fn explain(entries: u32, tuning: Tuning, error: &io::Error) -> String {
    let cause = match error.raw_os_error() {
        Some(libc::EINVAL) => "unknown to this kernel",
        Some(libc::EPERM) => "forbidden by seccomp or by kernel.io_uring_disabled",
        Some(libc::ENOSYS) => "unknown to this kernel, or hidden by seccomp",
        Some(libc::ENOMEM) => "no locked memory left for this user id (RLIMIT_MEMLOCK)",
        Some(libc::EMFILE) => "no file descriptor left (LimitNOFILE, ulimit -n)",
        Some(libc::ENFILE) => "no file descriptor left",
        _ => "failed",
    };
    let tuning = tuning.words();
    format!("io_uring with {entries} entries, {tuning}: {cause} ({error})")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rung = (u32, Tuning);

    /// What is tried, in order, and what is got, when `fails` says which rung fails how.
    fn climb(fails: impl Fn(Rung) -> Option<i32>) -> (Vec<Rung>, Option<Rung>, usize) {
        let tried = std::cell::RefCell::new(Vec::new());
        let build = |entries, tuning| {
            tried.borrow_mut().push((entries, tuning));
            match fails((entries, tuning)) {
                Some(error) => Err(io::Error::from_raw_os_error(error)),
                None => Ok(()),
            }
        };
        let mut fallbacks = Vec::new();
        let got = climb_down(build, &mut fallbacks);
        let got = got.ok().map(|((), entries, tuning)| (entries, tuning));
        (tried.into_inner(), got, fallbacks.len())
    }

    #[test]
    fn a_kernel_that_knows_less_gets_a_ring_of_the_full_size() {
        let best = (1024, Tuning::SingleDeferred);
        assert_eq!(climb(|_| None), (vec![best], Some(best), 0));
        let old = climb(|(_, tuning)| (tuning != Tuning::Plain).then_some(libc::EINVAL));
        let all = TUNINGS.map(|tuning| (1024, tuning)).to_vec();
        assert_eq!(old, (all, Some((1024, Tuning::Plain)), 2));
    }

    #[test]
    fn without_locked_memory_the_ring_is_smaller_and_keeps_its_tuning() {
        let short = climb(|(entries, _)| (entries > 256).then_some(libc::ENOMEM));
        let rungs = vec![(1024, Tuning::SingleDeferred), (256, Tuning::SingleDeferred)];
        assert_eq!(short, (rungs.clone(), rungs.last().copied(), 1));
        let both = climb(|(entries, tuning)| match (entries, tuning) {
            (_, Tuning::SingleDeferred) => Some(libc::EINVAL),
            (1024, _) => Some(libc::ENOMEM),
            _ => None,
        });
        assert_eq!(both.1, Some((256, Tuning::Cooperative)));
    }

    #[test]
    fn where_io_uring_is_forbidden_none_is_got() {
        let (tried, got, told) = climb(|_| Some(libc::EPERM));
        assert_eq!((tried.len(), got, told), (2, None, 2));
    }
}
