//! Runs of the commands that end by themselves, and files for them.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use super::{file, gavel};

/// Runs with standard input; `{shop}` stands for the domain.
pub(crate) fn run(args: &str, stdin: &str) -> (Option<i32>, String, String) {
    let shop = file("shop.yml");
    let args = args
        .split_whitespace()
        .map(|arg| arg.replace("{shop}", shop.to_str().unwrap()));
    let args: Vec<String> = args.collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    run_words(&args, stdin)
}

/// As [`run`], words that may hold blanks.
pub(crate) fn run_words(args: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    let mut child = gavel()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that needs no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    outcome(child.wait_with_output().unwrap())
}

/// Status, output, log.
pub(crate) fn outcome(output: Output) -> (Option<i32>, String, String) {
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// A file that is deleted with the value.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str, text: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("gavel-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Scratch(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A folder that is deleted with the value.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let path = std::env::temp_dir().join(format!("gavel-{}-{name}", std::process::id()));
        for (file, text) in files {
            let file = path.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        Folder(path)
    }

    /// Runs in the folder.
    pub(crate) fn gavel(&self, args: &str) -> (Option<i32>, String, String) {
        let mut command = gavel();
        command.args(args.split_whitespace()).current_dir(&self.0);
        outcome(command.stdin(Stdio::null()).output().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
