//! A real `gavel serve` process on loopback.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::{Cores, Process, post};

/// A running server; ends with the value.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub port: u16,
    /// From the start of the process to the first answer.
    pub start_ms: f64,
}

/// How a server is started.
#[derive(Debug)]
pub struct Start<'s> {
    /// The processor it stays on.
    pub core: Option<usize>,
    /// Where its access records go; nowhere without.
    pub records: Option<&'s Path>,
    /// Further flags.
    pub flags: &'s [&'s str],
}

/// Until a server that has answered is at rest: what its start took is given back behind the first answers.
const REST: Duration = Duration::from_millis(200);

/// A binary of the workspace, built as this program is.
pub fn binary(package: &str, name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let path = own.with_file_name(name);
    // The folder is named as the profile, but for one.
    let folder = own
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    let profile = match folder {
        Some("debug") => "dev",
        Some(profile) => profile,
        None => "release",
    };
    let built = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args([
            "build",
            "--profile",
            profile,
            "--quiet",
            "-p",
            package,
            "--bin",
            name,
        ])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .status();
    match built {
        Ok(status) if status.success() && path.exists() => Ok(path),
        _ => Err(format!(
            "{} could not be built with cargo build --profile {profile}",
            path.display()
        )),
    }
}

impl Server {
    /// Starts it on a free port with one thread, on the first core, and waits for the first answer to `body`.
    ///
    /// # Errors
    /// A server that ends or does not answer.
    pub fn start(binary: &Path, domain: &Path, body: &[u8], flags: &[&str]) -> Result<Server, String> {
        let how = Start {
            core: Cores::find().server,
            records: None,
            flags,
        };
        Server::start_as(&how, binary, domain, body)
    }

    /// As [`Server::start`], otherwise.
    ///
    /// # Errors
    /// A server that ends or does not answer, a file for records that cannot be written.
    pub fn start_as(how: &Start<'_>, binary: &Path, domain: &Path, body: &[u8]) -> Result<Server, String> {
        let records = match how.records {
            // At the end, wherever that is: others may cut the file while it is written.
            Some(path) => std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .map_err(|error| format!("{}: {error}", path.display()))?
                .into(),
            None => Stdio::null(),
        };
        let began = Instant::now();
        let mut command = Command::new(binary);
        command
            .args([
                "serve",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--threads",
                "1",
                "-b",
            ])
            .arg(domain)
            .args(how.flags)
            .stdout(records)
            .stderr(Stdio::piped());
        let mut process = Process::start(&mut command, how.core)?;
        let log = process.child.stderr.take().ok_or("the server has no log")?;
        let port = read_port(log).map_err(|log| format!("the server did not say its port: {log}"))?;
        let mut server = Server {
            process,
            port,
            start_ms: 0.0,
        };
        server.post(body)?;
        server.start_ms = began.elapsed().as_secs_f64() * 1000.0;
        Ok(server)
    }

    /// One request over a connection of its own; the answer's head and body.
    ///
    /// # Errors
    /// No answer.
    pub fn post(&self, body: &[u8]) -> Result<String, String> {
        post(self.port, "/decision", body)
    }

    /// Time that the only worker has spent on a processor.
    ///
    /// # Errors
    /// The server has ended.
    pub fn worker_ns(&self) -> Result<u64, String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.child.id()))
            .map_err(|e| e.to_string())?;
        for task in tasks.flatten() {
            let named = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            if named.trim() == "worker-0" {
                let times =
                    std::fs::read_to_string(task.path().join("schedstat")).map_err(|e| e.to_string())?;
                let spent = times.split_whitespace().next().unwrap_or_default();
                return spent.parse().map_err(|_| format!("no time in {times}"));
            }
        }
        Err("the server has no worker".to_owned())
    }

    /// Resident memory at rest.
    ///
    /// # Errors
    /// The server has ended.
    pub fn rss_mib(&self) -> Result<f64, String> {
        std::thread::sleep(REST);
        self.process.rss_mib()
    }
}

/// The port that the server logs; the rest of its log is read and dropped, so that it never blocks.
fn read_port(log: impl Read + Send + 'static) -> Result<u16, String> {
    let mut lines = BufReader::new(log).lines();
    let mut seen = String::new();
    while let Some(Ok(line)) = lines.next() {
        if let Some(at) = line.find("listening on ") {
            let address: String = line
                .chars()
                .skip(at + 13)
                .take_while(|c| !c.is_whitespace() && *c != '"')
                .collect();
            let port = address
                .rsplit(':')
                .next()
                .and_then(|port| port.trim_end_matches(',').parse().ok());
            std::thread::spawn(move || lines.for_each(drop));
            return port.ok_or(format!("no port in {line}"));
        }
        seen.push_str(&line);
        seen.push('\n');
    }
    Err(seen)
}
