//! Lines for people and log collectors, on standard error; standard output belongs to access records.
//!
//! Never called for a request that went well.

use std::fmt;
use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The process cannot go on, or a promise is broken.
    Error,
    /// Something was wrong and was handled.
    Warn,
    /// What the process does.
    Info,
    /// Details.
    Debug,
}

static THRESHOLD: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Leaves out lines below `level`.
pub fn set_level(level: Level) {
    THRESHOLD.store(level as u8, Ordering::Relaxed);
}

/// Writes one line. A standard error that is gone is no reason to stop.
pub fn line(level: Level, text: fmt::Arguments<'_>) {
    if level as u8 > THRESHOLD.load(Ordering::Relaxed) {
        return;
    }
    let name = match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
    };
    let line = format!("{name}: {text}\n");
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
