//! Lines for people and log collectors, on standard error; standard output belongs to access records.
//!
//! Never called for a request that went well.

use std::fmt;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::SystemTime;

use crate::clock;
use crate::terminal::Paint;

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

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }
}

/// Something that may happen a thousand times a second, and is worth a line a minute.
#[derive(Debug, Default)]
pub struct Seldom(AtomicU64);

impl Seldom {
    const PAUSE_NS: u64 = 60_000_000_000;

    /// Whether it should be said now; then not again for a minute.
    pub fn is_due(&self) -> bool {
        let now_ns = clock::monotonic_ns();
        let next_ns = self.0.load(Ordering::Relaxed);
        let due = now_ns >= next_ns;
        // Of several threads one says it.
        due && self
            .0
            .compare_exchange(
                next_ns,
                now_ns + Seldom::PAUSE_NS,
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .is_ok()
    }
}

static THRESHOLD: AtomicU8 = AtomicU8::new(Level::Info as u8);
static AS_JSON: AtomicBool = AtomicBool::new(false);

/// Leaves out lines below `level`.
pub fn set_level(level: Level) {
    THRESHOLD.store(level as u8, Ordering::Relaxed);
}

/// From now on each line is a JSON object with `level`, `ts`, `msg` and `module`, or is text.
pub fn set_json(on: bool) {
    AS_JSON.store(on, Ordering::Relaxed);
}

/// Writes one line. A standard error that is gone is no reason to stop.
pub fn line(level: Level, text: fmt::Arguments<'_>) {
    if level as u8 > THRESHOLD.load(Ordering::Relaxed) {
        return;
    }
    if AS_JSON.load(Ordering::Relaxed) {
        write(&json(level, &text.to_string(), SystemTime::now()));
    } else {
        write(&plain(level, text));
    }
}

/// Why the process ends: always text, as it may be a report of many lines.
pub fn fatal(text: &str) {
    write(&plain(Level::Error, format_args!("{text}")));
}

fn write(line: &str) {
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

fn plain(level: Level, text: fmt::Arguments<'_>) -> String {
    let paint = Paint::stderr();
    let name = match level {
        Level::Error => paint.bad(level.word()),
        Level::Warn => paint.warning(level.word()),
        Level::Info | Level::Debug => level.word().to_owned(),
    };
    format!("{name}: {text}\n")
}

fn json(level: Level, text: &str, now: SystemTime) -> String {
    let line = serde_json::json!({
        "level": level.word(),
        "ts": timestamp(now),
        "msg": text,
        "module": "gavel",
    });
    format!("{line}\n")
}

/// RFC 3339 in UTC; the epoch for a clock that is out of range.
pub(crate) fn timestamp(now: SystemTime) -> String {
    let now = jiff::Timestamp::try_from(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_json_line_is_one_line() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_772_439_330_123);
        assert_eq!(
            json(Level::Warn, "a \"b\"\nc", at),
            "{\"level\":\"warn\",\"ts\":\"2026-03-02T08:15:30.123Z\",\"msg\":\"a \\\"b\\\"\\nc\",\"module\":\"gavel\"}\n"
        );
    }
}
