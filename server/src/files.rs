//! Reading files whole, and standard input: never more than a bound, so that a device or an endless pipe that was named by
//! mistake ends in an error and not in all of the memory.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

use crate::error::reason;
use crate::limits;

/// The bytes of a file of at most `most`.
pub(crate) fn bytes(path: &Path, most: usize) -> Result<Vec<u8>> {
    let file = File::open(path)?;
    let len = file.metadata().map_or(0, |metadata| metadata.len());
    let expected = usize::try_from(len).map_or(most, |len| len.min(most));
    // One byte more, which says that the end was reached.
    bounded(file, most, expected.saturating_add(1))
}

/// The text of a file of at most `most` bytes, which must be UTF-8.
pub(crate) fn text(path: &Path, most: usize) -> Result<String> {
    String::from_utf8(bytes(path, most)?).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to());
        let lines = before.unwrap_or_default().iter().filter(|byte| **byte == b'\n');
        let text = format!("line {} is not UTF-8", lines.count() + 1);
        Error::new(ErrorKind::InvalidData, text)
    })
}

/// The text of a PolicyDomain or module, never more of it than the compiler takes; the reason why not, in a few words
/// without the file's name.
pub(crate) fn policy(path: &Path) -> std::result::Result<String, String> {
    text(path, limits::TEXT_BYTES_MAX).map_err(|error| reason(&error))
}

/// Why something that [`may_never_end`] is not read.
pub(crate) const NO_FILE: &str = "not a regular file";

/// Whether a path leads to a pipe, socket or device: reading it could wait for ever.
pub(crate) fn may_never_end(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// All of standard input, at most `most` bytes.
pub(crate) fn standard_input(most: usize) -> Result<Vec<u8>> {
    bounded(std::io::stdin().lock(), most, 0)
}

/// `expected`: bytes that there are, if nothing changes.
fn bounded(source: impl Read, most: usize, expected: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(expected)
        .map_err(|_| ErrorKind::OutOfMemory)?;
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    source.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let text = format!("larger than {} MiB", most >> 20);
        return Err(Error::new(ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_bound_and_above() {
        assert_eq!(bounded(&b"abc"[..], 3, 0).unwrap(), b"abc");
        let error = bounded(&b"abcd"[..], 3, 9).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        let endless = bytes(Path::new("/dev/zero"), 1000).unwrap_err();
        assert_eq!(endless.kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_no_text() {
        let path = std::env::temp_dir().join(format!("gavel-files-{}", std::process::id()));
        std::fs::write(&path, b"a\nb\xff").unwrap();
        assert_eq!(text(&path, 10).unwrap_err().to_string(), "line 2 is not UTF-8");
        std::fs::remove_file(&path).unwrap();
    }
}
