//! A place in a spool, and the small file that keeps the one up to which records are delivered.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Name of the file in the spool's folder.
const NAME: &str = "delivered";

/// The file that the process holds which writes to the spool.
pub(super) const LOCK: &str = "lock";

/// A number of a segment, and a position in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) segment: u64,
    pub(super) offset: u64,
}

/// The file of a segment.
pub(super) fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.spool"))
}

/// The numbers of the segments in a folder, ascending, with their sizes.
pub(super) fn segments(folder: &Path) -> io::Result<Vec<(u64, u64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".spool"));
        if let Some(number) = number.and_then(|text| text.parse().ok()) {
            found.push((number, entry.metadata()?.len()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Up to where records are delivered; the beginning if nobody noted it.
///
/// # Errors
/// The note cannot be read, or is none.
pub(super) fn delivered(folder: &Path) -> io::Result<Place> {
    let text = match fs::read_to_string(folder.join(NAME)) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Place::default()),
        Err(error) => return Err(error),
    };
    let parsed = text.trim_end().split_once(' ').and_then(|(segment, offset)| {
        Some(Place {
            segment: segment.parse().ok()?,
            offset: offset.parse().ok()?,
        })
    });
    parsed.ok_or_else(|| {
        let text = format!(
            "`{NAME}` does not hold a segment and an offset: without it all that the spool has is delivered again"
        );
        io::Error::other(text)
    })
}

/// Notes it, so that a crash leaves the old note or the new one.
pub(super) fn note(folder: &Path, place: Place) -> io::Result<()> {
    let new = folder.join(format!("{NAME}.new"));
    let mut file = File::create(&new)?;
    writeln!(file, "{} {}", place.segment, place.offset)?;
    // After a loss of power an empty file under the name would be no note at all.
    file.sync_data()?;
    fs::rename(new, folder.join(NAME))
}

/// Makes names that were added to a folder outlive a loss of power.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Whether the file still has this name, in a folder that has not become another one.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}
