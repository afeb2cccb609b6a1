//! Why a command ends without doing its work, and with which exit status.

use std::fmt;
use std::path::Path;

/// The reason a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The policy author's: the text holds every diagnostic, rendered.
    Policy(String),
    /// The operator's: a file, port, limit or setting; the text names the likely cause.
    Operator(String),
    /// Wrong words on the command line.
    Usage(String),
    /// Our own: a thread of the running service died.
    Fault(String),
    /// The input of `test` cannot be used, or a test failed. Empty where everything was said already.
    Input(String),
}

impl Failure {
    /// A file that could not be read, with the system's reason.
    #[must_use]
    pub fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
        Failure::Operator(format!("open {}: {}", path.display(), reason(error)))
    }

    /// What makes a failure of what the system did not give to a start: `what` was for.
    pub fn refused(what: impl fmt::Display) -> impl Fn(std::io::Error) -> Failure {
        move |error| Failure::Operator(format!("{what}: {}", reason_and_limit(&error)))
    }

    /// The exit status of the command.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Failure::Fault(_) => 2,
            Failure::Operator(_) | Failure::Policy(_) | Failure::Usage(_) | Failure::Input(_) => 1,
        }
    }
}

/// The system's reason in its words, from a small letter on as in Go, whose messages scripts know; its number says nothing
/// that they do not.
#[must_use]
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let mut words = text.split(" (os error ").next().unwrap_or(&text).chars();
    let first = words.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(words).collect()
}

/// The system's reason, with the limit to raise where a process has all the files that it may have.
#[must_use]
pub fn reason_and_limit(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EMFILE) => format!("{error}: LimitNOFILE (ulimit -n) has to be higher"),
        _ => error.to_string(),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Policy(text)
            | Failure::Operator(text)
            | Failure::Usage(text)
            | Failure::Fault(text)
            | Failure::Input(text) => f.write_str(text),
        }
    }
}
