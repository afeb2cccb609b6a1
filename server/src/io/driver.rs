//! Which kernel interface a core runs on, and why.
//!
//! The ladder is io_uring with 1024 entries, io_uring with 256, epoll. Clusters block io_uring by default and the memory
//! of all rings of one user id counts against one limit, so every step must be expected to fail.

use std::future::Future;
use std::io;

use monoio::{FusionRuntime, IoUringDriver, LegacyDriver, RuntimeBuilder};

const ENTRIES: [u32; 2] = [1024, 256];

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
}

/// The event loop of one thread. Built on the thread that runs it.
pub struct Core(FusionRuntime<IoUringDriver, LegacyDriver>);

impl Core {
    /// Climbs down the ladder until a driver starts.
    ///
    /// # Errors
    /// Says why none of the allowed drivers started.
    pub fn build(choice: DriverChoice) -> Result<(Core, DriverReport), String> {
        let refused = match choice {
            DriverChoice::Epoll => "asked for".to_owned(),
            DriverChoice::Auto | DriverChoice::Uring => match build_uring() {
                Ok(built) => return Ok(built),
                Err(reason) if choice == DriverChoice::Uring => return Err(reason),
                Err(reason) => reason,
            },
        };
        let runtime = RuntimeBuilder::<LegacyDriver>::new()
            .build()
            .map_err(|e| format!("epoll: {e}"))?;
        Ok((
            Core(FusionRuntime::Legacy(runtime)),
            DriverReport {
                driver: "epoll",
                reason: refused,
            },
        ))
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

fn build_uring() -> Result<(Core, DriverReport), String> {
    let mut last = String::new();
    for entries in ENTRIES {
        match ring(entries) {
            Ok((runtime, flags)) if monoio::utils::detect_uring() => {
                let reason = if last.is_empty() {
                    format!("{entries} entries{flags}")
                } else {
                    format!("{entries} entries{flags}; {last}")
                };
                let report = DriverReport {
                    driver: "io_uring",
                    reason,
                };
                return Ok((Core(FusionRuntime::Uring(runtime)), report));
            }
            Ok(_) => {
                return Err(
                    "io_uring lacks operations that we need, or MONOIO_FORCE_LEGACY_DRIVER is set".to_owned(),
                );
            }
            Err(error) => last = explain(entries, &error),
        }
    }
    Err(last)
}

/// A ring with single-issuer and deferred task work, or a plain one where the kernel (before 6.1) does not know them.
fn ring(entries: u32) -> io::Result<(monoio::Runtime<IoUringDriver>, &'static str)> {
    let mut tuned = io_uring::IoUring::builder();
    tuned.setup_single_issuer().setup_defer_taskrun();
    match RuntimeBuilder::<IoUringDriver>::new()
        .with_entries(entries)
        .uring_builder(tuned)
        .build()
    {
        Ok(runtime) => Ok((runtime, ", single_issuer, defer_taskrun")),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            let runtime = RuntimeBuilder::<IoUringDriver>::new()
                .with_entries(entries)
                .build()?;
            Ok((runtime, ""))
        }
        Err(error) => Err(error),
    }
}

fn explain(entries: u32, error: &io::Error) -> String {
    let cause = match error.raw_os_error() {
        Some(libc::EPERM) => "forbidden by seccomp or by kernel.io_uring_disabled",
        Some(libc::ENOSYS) => "unknown to this kernel, or hidden by seccomp",
        Some(libc::ENOMEM) => "no locked memory left for this user id (RLIMIT_MEMLOCK)",
        Some(libc::EMFILE | libc::ENFILE) => "no file descriptor left",
        _ => "failed",
    };
    format!("io_uring with {entries} entries: {cause} ({error})")
}
