//! A spool read by hand: all of its records, and what is wrong with it. Changes nothing, also while a process writes to it.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use crate::audit::spool::format::{self, HEADER_BYTES};
use crate::audit::spool::place::{self, Place};
use crate::error::{Failure, reason};

/// What a spool holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Files.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whole records, and marks where some are missing.
    pub records: u64,
    /// Places that are no whole record and have whole ones behind them.
    pub damaged: u64,
    /// Bytes at the end of the last file that are no whole record: a crash, or a process that writes at this moment.
    pub torn_bytes: u64,
    /// Bytes that are not delivered.
    pub waiting_bytes: u64,
}

impl Findings {
    /// No record was lost, save for one that was being written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damaged == 0
    }
}

/// Writes all records to `output`, in order, or none if `output` is `None`; says for each damaged file to `complain` what is
/// wrong with it.
///
/// # Errors
/// The folder or a file cannot be read, or the output not be written.
pub fn show(
    folder: &Path,
    mut output: Option<&mut dyn Write>,
    mut complain: impl FnMut(&str),
) -> Result<Findings, Failure> {
    let unreadable = |error: io::Error| Failure::unreadable(folder, &error);
    let segments = place::segments(folder).map_err(unreadable)?;
    if segments.is_empty() && !folder.join(place::LOCK).exists() {
        return Err(Failure::Operator(format!("{} holds no spool", folder.display())));
    }
    let delivered = place::delivered(folder).unwrap_or_else(|error| {
        complain(&format!("what is delivered cannot be said: {}", reason(&error)));
        Place::default()
    });
    let mut findings = Findings::default();
    let count = segments.len();
    for (at, (number, bytes)) in segments.into_iter().enumerate() {
        let path = place::segment_path(folder, number);
        let file = match File::open(&path) {
            Ok(file) => file,
            // A process that makes room took it away.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failure::unreadable(&path, &error)),
        };
        let found = format::survey(BufReader::new(file), 0, bytes, |record| match &mut output {
            Some(output) => output.write_all(record),
            None => Ok(()),
        })
        .map_err(|error| Failure::Operator(format!("{}: {}", path.display(), reason(&error))))?;
        let name = path.display();
        if found.damaged > 0 {
            complain(&format!("{name}: {} damaged places", found.damaged));
        }
        findings.damaged += found.damaged;
        if found.torn > 0 && at + 1 == count {
            complain(&format!(
                "{name}: the last {} bytes are no whole record",
                found.torn
            ));
            findings.torn_bytes = found.torn;
        } else if found.torn > 0 {
            complain(&format!("{name}: damaged from byte {} on", found.whole));
            findings.damaged += 1;
        }
        findings.segments += 1;
        findings.bytes += bytes;
        findings.records += found.records;
        findings.waiting_bytes += match number.cmp(&delivered.segment) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => bytes.saturating_sub(delivered.offset.max(HEADER_BYTES)),
            std::cmp::Ordering::Greater => bytes.saturating_sub(HEADER_BYTES),
        };
    }
    Ok(findings)
}
