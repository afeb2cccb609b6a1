//! `gavel audit cat` and `gavel audit verify`: a spool of access records read by hand.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

use crate::audit::spool::{Findings, show};
use crate::error::Failure;
use crate::log::{self, Level};

/// Prints all records.
///
/// # Errors
/// The spool cannot be read, or is damaged; then everything that is whole was printed.
pub(crate) fn cat(folder: &Path) -> Result<(), Failure> {
    let mut output = Gone {
        output: BufWriter::new(io::stdout().lock()),
        gone: false,
    };
    let findings = show(folder, Some(&mut output), complain)?;
    if let Err(error) = output.flush() {
        return Err(Failure::Operator(format!("standard output: {error}")));
    }
    sound(folder, &findings)
}

/// Prints what the spool holds.
///
/// # Errors
/// The spool cannot be read, or is damaged.
pub(crate) fn verify(folder: &Path) -> Result<(), Failure> {
    let findings = show(folder, None, complain)?;
    let text = format!(
        "{} records in {} files of {} bytes, {} bytes not delivered, {} damaged places, {} bytes of a record that is not whole\n",
        findings.records,
        findings.segments,
        findings.bytes,
        findings.waiting_bytes,
        findings.damaged,
        findings.torn_bytes
    );
    let written = io::stdout().write_all(text.as_bytes());
    written.map_err(|error| Failure::Operator(format!("standard output: {error}")))?;
    sound(folder, &findings)
}

fn complain(text: &str) {
    log::line(Level::Warn, format_args!("{text}"));
}

fn sound(folder: &Path, findings: &Findings) -> Result<(), Failure> {
    if findings.is_sound() {
        return Ok(());
    }
    let (name, places) = (folder.display(), findings.damaged);
    Err(Failure::Input(format!(
        "{name} is damaged in {places} places: records are missing"
    )))
}

/// A reader such as `head` that has enough is no error; the rest is only looked at.
struct Gone<W> {
    output: W,
    gone: bool,
}

impl<W: Write> Gone<W> {
    fn unless_gone(&mut self, outcome: io::Result<()>) -> io::Result<()> {
        match outcome {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            outcome => outcome,
        }
    }
}

impl<W: Write> Write for Gone<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.gone {
            let written = self.output.write_all(bytes);
            self.unless_gone(written)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        let flushed = self.output.flush();
        self.unless_gone(flushed)
    }
}
