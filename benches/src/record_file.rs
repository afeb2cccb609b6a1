//! The file that a server under load writes its access records to: what is old goes a little at a time, since cutting the whole
//! file takes the processor that the server is on for 1.5 ms and more.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::fs::{FallocateFlags, fallocate};

/// Bytes at the end of the file that stay.
const KEEP_BYTES: u64 = 8 << 20;

/// Bytes that go together: some 50 us.
const CUT_BYTES: u64 = 256 << 10;

/// How long it is to the next look behind one that found nothing to go.
const LOOK: Duration = Duration::from_millis(5);

/// The same behind one that found some: a thread that comes late must not do all at once what it missed.
const NEXT: Duration = Duration::from_millis(1);

/// A file that does not grow on its disk without end; removed with the value.
pub(crate) struct Records {
    /// Where it is.
    pub(crate) path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Records {
    /// A new one.
    ///
    /// # Errors
    /// No file can be made, or no holes in it: a file that is cut would make answers late, and one that grows fills the disk.
    pub(crate) fn new(name: &str) -> Result<Records, String> {
        let path = std::env::temp_dir().join(format!("gavel-report-{}-{name}.log", std::process::id()));
        let file = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if let Err(error) = punch(&file, 0) {
            let _ = std::fs::remove_file(&path);
            return Err(format!(
                "{}: no holes can be made in files there: {error}; set TMPDIR to a folder where they can",
                path.display()
            ));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut gone_bytes = 0;
            while !seen.load(Ordering::Relaxed) {
                // A file that stays long is no reason to stop measuring.
                let now_gone = cut(&file, gone_bytes).unwrap_or(gone_bytes);
                std::thread::sleep(if now_gone > gone_bytes { NEXT } else { LOOK });
                gone_bytes = now_gone;
            }
        });
        Ok(Records {
            path,
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Gives one piece back to the disk, if it is too far from the end of a file whose first `gone_bytes` are gone; how many are
/// then.
fn cut(file: &File, gone_bytes: u64) -> io::Result<u64> {
    if file.metadata()?.len().saturating_sub(gone_bytes) < KEEP_BYTES + CUT_BYTES {
        return Ok(gone_bytes);
    }
    punch(file, gone_bytes)?;
    Ok(gone_bytes + CUT_BYTES)
}

/// Makes a hole of one piece.
fn punch(file: &File, at_bytes: u64) -> io::Result<()> {
    let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(fallocate(file, hole, at_bytes, CUT_BYTES)?)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    use super::{CUT_BYTES, KEEP_BYTES, cut};

    #[test]
    fn what_is_old_goes_and_the_end_stays() {
        let path = std::env::temp_dir().join(format!("gavel-records-{}.log", std::process::id()));
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(&path)
            .unwrap();
        std::fs::remove_file(&path).unwrap();
        let bytes = |count: u64| vec![b'x'; usize::try_from(count).unwrap()];
        file.write_all(&bytes(KEEP_BYTES + CUT_BYTES - 1)).unwrap();
        assert_eq!(cut(&file, 0).unwrap(), 0);
        file.write_all(&bytes(1 + CUT_BYTES)).unwrap();
        let before = file.metadata().unwrap();
        assert_eq!(cut(&file, 0).unwrap(), CUT_BYTES);
        assert_eq!(cut(&file, CUT_BYTES).unwrap(), 2 * CUT_BYTES);
        assert_eq!(cut(&file, 2 * CUT_BYTES).unwrap(), 2 * CUT_BYTES);
        let (mut last_gone, mut first_kept) = ([1], [1]);
        file.read_exact_at(&mut last_gone, 2 * CUT_BYTES - 1).unwrap();
        file.read_exact_at(&mut first_kept, 2 * CUT_BYTES).unwrap();
        assert_eq!((last_gone, first_kept), ([0], [b'x']));
        let after = file.metadata().unwrap();
        assert_eq!(after.len(), before.len());
        // A block more may be there for the list of the others.
        let given_back_bytes = (before.blocks() - after.blocks()) * 512;
        assert!(given_back_bytes + 4096 >= 2 * CUT_BYTES, "{given_back_bytes}");
    }
}
