//! Records into a file that is renamed away when it is full: `access.jsonl`, then `access.jsonl.1`, and so on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::audit::batch::Batch;
use crate::audit::outlet::{Outlet, put};
use crate::error::reason;
use crate::log::{self, Level};

/// A file for records, and how it is turned over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// Where it is.
    pub path: PathBuf,
    /// Its largest size, save for one record that is larger; 0: it is never renamed here.
    pub bytes_max: u64,
    /// How many full files are kept.
    pub keep: u32,
}

/// The open file.
pub(crate) struct RotatingFile {
    options: FileOptions,
    file: File,
    bytes: u64,
    torn: bool,
    /// Renaming failed and was told of; it is tried again with every batch.
    stuck: bool,
}

impl RotatingFile {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(options: FileOptions) -> io::Result<RotatingFile> {
        let (file, bytes, torn) = open(&options.path)?;
        Ok(RotatingFile {
            options,
            file,
            bytes,
            torn,
            stuck: false,
        })
    }

    fn turn_over(&mut self) -> io::Result<()> {
        let path = &self.options.path;
        let numbered = |number: u32| {
            let mut name = path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        // Up to the first free number, so that nothing is pushed out while the open file cannot be renamed.
        let mut taken = 1..self.options.keep;
        let free = taken.find(|number| !numbered(*number).exists());
        for number in (1..free.unwrap_or(self.options.keep)).rev() {
            rename_if_there(&numbered(number), &numbered(number + 1))?;
        }
        if self.options.keep == 0 {
            fs::remove_file(path)?;
        } else {
            rename_if_there(path, &numbered(1))?;
        }
        self.reopen()
    }

    /// How much may be written before the file is to be turned over: whole records, at least one.
    fn portion(&mut self, batch: &Batch) -> usize {
        let most = self.options.bytes_max;
        if most == 0 {
            return usize::MAX;
        }
        let room = usize::try_from(most.saturating_sub(self.bytes)).unwrap_or(usize::MAX);
        let fitting = batch.fitting(room);
        if fitting > 0 {
            return fitting;
        }
        if self.bytes > 0 && batch.at_boundary() {
            match self.turn_over() {
                Ok(()) => {
                    self.stuck = false;
                    let most = usize::try_from(most).unwrap_or(usize::MAX);
                    return batch.fitting(most).max(batch.next_bytes());
                }
                Err(error) if !self.stuck => {
                    self.stuck = true;
                    let (path, why) = (self.options.path.display(), reason(&error));
                    let text = format_args!("{path} grows beyond its bound, it cannot be renamed: {why}");
                    log::line(Level::Error, text);
                }
                Err(_) => {}
            }
            return usize::MAX;
        }
        batch.next_bytes()
    }
}

impl Outlet for RotatingFile {
    fn write(&mut self, batch: &mut Batch) -> io::Result<()> {
        while !batch.left().is_empty() {
            let portion = self.portion(batch);
            let before = batch.left().len();
            let outcome = put(&mut self.file, batch, portion, &mut self.torn);
            self.bytes += (before - batch.left().len()) as u64;
            outcome?;
        }
        Ok(())
    }

    fn name(&self) -> String {
        self.options.path.display().to_string()
    }

    fn reopen(&mut self) -> io::Result<()> {
        (self.file, self.bytes, self.torn) = open(&self.options.path)?;
        Ok(())
    }
}

/// The file, its size, and whether it ends within a line, as after a crash.
fn open(path: &Path) -> io::Result<(File, u64, bool)> {
    let mut options = OpenOptions::new();
    // Records tell who asked for what: they are for the owner and the group that reads logs.
    options.append(true).create(true).mode(0o640);
    let file = match path.metadata() {
        // A pipe or a terminal has no end to look at.
        Ok(found) if !found.is_file() => return Ok((options.open(path)?, 0, false)),
        _ => options.read(true).open(path)?,
    };
    let bytes = file.metadata()?.len();
    let mut last = [b'\n'];
    if bytes > 0 {
        let mut end = &file;
        end.seek(SeekFrom::End(-1))?;
        end.read_exact(&mut last)?;
    }
    Ok((file, bytes, last != [b'\n']))
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("gavel-file-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn open(&self, bytes_max: u64, keep: u32) -> RotatingFile {
            let path = self.0.join("a.jsonl");
            RotatingFile::open(FileOptions {
                path,
                bytes_max,
                keep,
            })
            .unwrap()
        }

        /// All files with their texts.
        fn texts(&self) -> Vec<(String, String)> {
            let mut found: Vec<_> = fs::read_dir(&self.0)
                .unwrap()
                .map(|entry| {
                    let entry = entry.unwrap();
                    let name = entry.file_name().into_string().unwrap();
                    (name, fs::read_to_string(entry.path()).unwrap())
                })
                .collect();
            found.sort();
            found
        }

        #[track_caller]
        fn check(&self, want: &[(&str, &str)]) {
            let want: Vec<_> = want
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect();
            assert_eq!(self.texts(), want);
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn write(file: &mut RotatingFile, lines: &[&str]) {
        let mut batch = Batch::default();
        for line in lines {
            batch.line(format!("{line}\n").as_bytes());
        }
        file.write(&mut batch).unwrap();
    }

    #[test]
    fn files_end_between_records_and_the_oldest_goes() {
        let folder = Folder::new("turn");
        let mut file = folder.open(10, 2);
        write(&mut file, &["one", "two", "three", "four"]);
        folder.check(&[
            ("a.jsonl", "four\n"),
            ("a.jsonl.1", "three\n"),
            ("a.jsonl.2", "one\ntwo\n"),
        ]);
        write(&mut file, &["five"]);
        write(&mut file, &["a record that is longer", "six"]);
        folder.check(&[
            ("a.jsonl", "six\n"),
            ("a.jsonl.1", "a record that is longer\n"),
            ("a.jsonl.2", "four\nfive\n"),
        ]);
    }

    #[test]
    fn a_free_number_is_taken_before_anything_is_pushed_out() {
        let folder = Folder::new("free");
        let mut file = folder.open(4, 3);
        write(&mut file, &["1", "one", "two", "three"]);
        fs::remove_file(folder.0.join("a.jsonl.2")).unwrap();
        write(&mut file, &["four"]);
        folder.check(&[
            ("a.jsonl", "four\n"),
            ("a.jsonl.1", "three\n"),
            ("a.jsonl.2", "two\n"),
            ("a.jsonl.3", "1\n"),
        ]);
    }

    #[test]
    fn none_kept_and_never_renamed() {
        let folder = Folder::new("none");
        let mut file = folder.open(4, 0);
        write(&mut file, &["one", "two"]);
        folder.check(&[("a.jsonl", "two\n")]);
        let mut file = folder.open(0, 3);
        write(&mut file, &["three"]);
        folder.check(&[("a.jsonl", "two\nthree\n")]);
    }

    #[test]
    fn a_line_that_a_crash_cut_stays_alone() {
        let folder = Folder::new("cut");
        fs::write(folder.0.join("a.jsonl"), "one\ntw").unwrap();
        write(&mut folder.open(0, 0), &["three"]);
        folder.check(&[("a.jsonl", "one\ntw\nthree\n")]);
    }

    #[test]
    fn what_was_moved_away_is_made_anew() {
        let folder = Folder::new("moved");
        let mut file = folder.open(100, 1);
        write(&mut file, &["one"]);
        fs::rename(folder.0.join("a.jsonl"), folder.0.join("b")).unwrap();
        write(&mut file, &["two"]);
        file.reopen().unwrap();
        write(&mut file, &["three"]);
        folder.check(&[("a.jsonl", "three\n"), ("b", "one\ntwo\n")]);
    }

    #[test]
    fn a_name_that_cannot_be_renamed_loses_nothing() {
        let folder = Folder::new("stuck");
        let mut file = folder.open(4, 1);
        fs::create_dir(folder.0.join("a.jsonl.1")).unwrap();
        write(&mut file, &["one", "two"]);
        write(&mut file, &["three"]);
        let text = fs::read_to_string(folder.0.join("a.jsonl")).unwrap();
        assert_eq!(text, "one\ntwo\nthree\n");
        fs::remove_dir(folder.0.join("a.jsonl.1")).unwrap();
        write(&mut file, &["four"]);
        folder.check(&[("a.jsonl", "four\n"), ("a.jsonl.1", "one\ntwo\nthree\n")]);
    }
}
