//! Peers that are servers: a process, where it listens, and how one request is put to it.

use std::path::{Path, PathBuf};

use crate::load::{Ask, Content, Expected, Target};
use crate::process::{Process, post};

/// A running peer.
#[derive(Debug)]
pub struct Served {
    /// What it is called in tables.
    pub name: &'static str,
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub port: u16,
    /// What should be known beside its figures.
    pub caution: Option<&'static str>,
    /// Path of its decisions.
    pub path: &'static str,
    /// Each request of the example: its name, the body that the peer takes, and a text that is in its answer only if it
    /// decides as ours.
    pub requests: Vec<Question>,
    /// Its files, which go when it ends.
    pub folder: Folder,
}

/// One request to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Name of the request.
    pub name: String,
    /// Body for the peer.
    pub body: String,
    /// What its answer must have in it.
    pub answer: &'static str,
}

/// A folder that is deleted with the value.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new one among the files that may go at any time.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(name: &str) -> Result<Folder, String> {
        let path = std::env::temp_dir().join(format!("gavel-report-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| error.to_string())?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It lies among files that may go at any time.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Served {
    /// Waits for the first answer, then puts every request and compares.
    ///
    /// # Errors
    /// No answer, or another decision than ours.
    pub fn compared(mut self) -> Result<Served, String> {
        for question in &self.requests {
            let body = question.body.as_bytes();
            self.process.wait_for(self.port, self.path, body)?;
            let answer = post(self.port, self.path, body)?;
            if !(answer.starts_with("HTTP/1.1 200") && answer.contains(question.answer)) {
                return Err(format!(
                    "{} and gavel decide {} differently: {answer}",
                    self.name, question.name
                ));
            }
        }
        Ok(self)
    }

    /// Where it is asked.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::local(self.port, self.path)
    }

    /// One of its requests for the load generator.
    ///
    /// # Errors
    /// There is no such request.
    pub fn ask(&self, name: &str) -> Result<Ask, String> {
        let question = self
            .requests
            .iter()
            .find(|question| question.name == name)
            .ok_or(format!("no request {name}"))?;
        let expected = Expected {
            status: 200,
            body: Content::Has(question.answer.to_owned()),
        };
        Ok(Ask::new(
            &self.target(),
            &[],
            Some(question.body.as_bytes()),
            expected,
        ))
    }
}

/// A peer's program: what the variable names, or what `benches/peers/get.sh` got.
///
/// # Errors
/// It is not there, and how it can be had.
pub fn program(variable: &str, name: &str) -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/peers")
        .join(name);
    match path.is_file() {
        true => Ok(path),
        false => Err(format!("{name} is not there; benches/peers/get.sh gets it")),
    }
}
