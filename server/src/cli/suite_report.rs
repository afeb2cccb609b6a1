//! What became of the tests of a suite, and the lines that say so.

use std::io::{BufWriter, Stdout, Write as _};

use crate::error::Failure;
use crate::terminal::{Paint, stdout_is_watched};

/// What became of a test.
pub(crate) enum Outcome {
    /// The decision is the expected one.
    Pass,
    /// It is the other one.
    Fail {
        /// The decision that was expected.
        wanted: bool,
        /// The decision.
        got: bool,
    },
    /// There is no decision.
    Error(String),
}

impl Outcome {
    /// Whether the test passed.
    pub(crate) fn is_pass(&self) -> bool {
        matches!(self, Outcome::Pass)
    }

    /// What went wrong; empty for what passed.
    pub(crate) fn explanation(&self) -> String {
        match self {
            Outcome::Pass => String::new(),
            Outcome::Fail { wanted, got } => format!("expected allow={wanted}, got allow={got}"),
            Outcome::Error(why) => why.clone(),
        }
    }
}

/// Writes outcomes to standard output: each at once for a person who waits, in large pieces for a pipe.
pub(crate) struct Report {
    out: BufWriter<Stdout>,
    paint: Paint,
    is_watched: bool,
}

impl Report {
    /// A report without a line.
    pub(crate) fn new() -> Report {
        Report {
            out: BufWriter::new(std::io::stdout()),
            paint: Paint::stdout(),
            is_watched: stdout_is_watched(),
        }
    }

    /// The line of one test.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(crate) fn case(&mut self, name: &str, outcome: &Outcome) -> Result<(), Failure> {
        let word = match outcome {
            Outcome::Pass => self.paint.good("PASS"),
            Outcome::Fail { .. } => self.paint.bad("FAIL"),
            Outcome::Error(_) => self.paint.bad("ERROR"),
        };
        let why = match outcome {
            Outcome::Pass => String::new(),
            other => format!(" ({})", other.explanation()),
        };
        self.write(&format!("{name}: {word}{why}\n"))?;
        if self.is_watched { self.flush() } else { Ok(()) }
    }

    /// The last line, for so many of all tests that passed.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(crate) fn total(&mut self, passed: usize, all: usize) -> Result<(), Failure> {
        self.write(&format!("\n{passed}/{all} tests passed\n"))?;
        self.flush()
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(gone)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(gone)
    }
}

fn gone(error: std::io::Error) -> Failure {
    Failure::Operator(format!("standard output: {error}"))
}
