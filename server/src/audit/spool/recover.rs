//! What a crash left in a spool, mended before anything is written to it.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::{self, BufReader};
use std::path::Path;

use crate::audit::spool::format::{self, HEADER_BYTES};
use crate::audit::spool::place::{self, Place};
use crate::log::{self, Level};

/// The segments with their whole bytes. What is torn at the end of those that are not delivered is cut off.
pub(super) fn recover(folder: &Path, delivered: Place) -> io::Result<VecDeque<(u64, u64)>> {
    let mut kept = VecDeque::new();
    for (number, bytes) in place::segments(folder)? {
        let path = place::segment_path(folder, number);
        let at = match number.cmp(&delivered.segment) {
            std::cmp::Ordering::Less => {
                kept.push_back((number, bytes));
                continue;
            }
            std::cmp::Ordering::Equal if delivered.offset <= bytes => delivered.offset,
            _ => 0,
        };
        let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
        let found = format::survey(BufReader::new(&file), at, bytes, |_| Ok(()))?;
        let name = path.display();
        if found.torn > 0 {
            file.set_len(found.whole)?;
            let text = format_args!(
                "audit spool: {name} was cut at its last whole record, {} bytes of a torn one went",
                found.torn
            );
            log::line(Level::Warn, text);
        }
        if found.damaged > 0 {
            let text = format_args!("audit spool: {name} has {} damaged records", found.damaged);
            log::line(Level::Error, text);
        }
        if found.whole <= HEADER_BYTES {
            // A process that wrote nothing leaves nothing.
            drop(file);
            fs::remove_file(&path)?;
        } else {
            kept.push_back((number, found.whole));
        }
    }
    Ok(kept)
}
