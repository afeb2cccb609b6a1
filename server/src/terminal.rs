//! What a person at a terminal gets and a pipe does not: colour, and a line that says how far long work is. The one place
//! that asks whether a stream is a terminal.
//!
//! Colour follows `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and `TERM`; help and wrong usage (clap) obey the same rules.

use std::cell::Cell;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done within this time shows no progress.
const QUIET: Duration = Duration::from_millis(400);

/// Colours for one stream, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint(bool);

impl Paint {
    /// Colours for standard output.
    pub(crate) fn stdout() -> Paint {
        Paint(AutoStream::choice(&std::io::stdout()) != ColorChoice::Never)
    }

    /// Colours for standard error.
    pub(crate) fn stderr() -> Paint {
        Paint(AutoStream::choice(&std::io::stderr()) != ColorChoice::Never)
    }

    /// Whether there are colours, for what makes its own.
    pub(crate) fn is_on(self) -> bool {
        self.0
    }

    /// What went well.
    pub(crate) fn good(self, text: &str) -> String {
        self.styled(AnsiColor::Green.on_default(), text)
    }

    /// What went wrong.
    pub(crate) fn bad(self, text: &str) -> String {
        self.styled(AnsiColor::Red.on_default().bold(), text)
    }

    /// What deserves a look.
    pub(crate) fn warning(self, text: &str) -> String {
        self.styled(AnsiColor::Yellow.on_default(), text)
    }

    fn styled(self, style: Style, text: &str) -> String {
        if self.0 {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// Whether a person reads standard error as it is written.
pub(crate) fn stderr_is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether a person reads standard output as it is written.
pub(crate) fn stdout_is_watched() -> bool {
    std::io::stdout().is_terminal()
}

/// A line on standard error that says how far long work is; nothing where that is no terminal, or before the work has
/// lasted a moment. It goes away with the value.
pub(crate) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    shown: Cell<bool>,
    /// Standard output goes to the terminal, too.
    is_shared: bool,
}

impl Progress {
    /// `what` is done to so many things.
    pub(crate) fn new(what: &'static str, total: usize) -> Progress {
        let total = u64::try_from(total).unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{prefix} [{bar:24}] {pos}/{len} {eta} {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Progress {
            bar: bar.with_style(style.progress_chars("=> ")).with_prefix(what),
            begun: Instant::now(),
            shown: Cell::new(!stderr_is_watched()),
            is_shared: stdout_is_watched(),
        }
    }

    /// The next thing is `name`.
    pub(crate) fn step(&self, name: &str) {
        if !self.shown.get() && self.begun.elapsed() >= QUIET {
            self.shown.set(true);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if !self.bar.is_hidden() {
            self.bar.set_message(name.to_owned());
        }
        self.bar.inc(1);
    }

    /// Runs something that writes to standard output: where that is the terminal, the line must not be in the way of it.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.is_shared {
            self.bar.suspend(write)
        } else {
            write()
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_stands_around_the_text_or_nowhere() {
        assert_eq!(Paint(false).good("PASS"), "PASS");
        let painted = Paint(true).bad("FAIL");
        assert!(painted.starts_with("\u{1b}[") && painted.contains("FAIL") && painted.ends_with("\u{1b}[0m"));
    }
}
