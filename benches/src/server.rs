//! A real `gavel serve` process on loopback, and the load that `wrk` puts on it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server; ends with the value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub port: u16,
    /// From the start of the process to the first answer.
    pub start_ms: f64,
}

/// A binary of the workspace, built as this program is.
pub fn binary(package: &str, name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let path = own.with_file_name(name);
    let built = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["build", "--release", "--quiet", "-p", package, "--bin", name])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .status();
    match built {
        Ok(status) if status.success() && path.exists() => Ok(path),
        _ => Err(format!(
            "{} is not there; build it with cargo build --release",
            path.display()
        )),
    }
}

impl Server {
    /// Starts it on a free port with one thread, on the first core, and waits for the first answer to `body`.
    pub fn start(binary: &Path, domain: &Path, body: &[u8], extra: &[&str]) -> Result<Server, String> {
        Server::start_on(Some("0"), binary, domain, body, extra)
    }

    /// As [`Server::start`], on this core or on any.
    pub fn start_on(
        core: Option<&str>,
        binary: &Path,
        domain: &Path,
        body: &[u8],
        extra: &[&str],
    ) -> Result<Server, String> {
        let began = Instant::now();
        let mut command = match core.filter(|_| on_path("taskset")) {
            Some(core) => {
                let mut pinned = Command::new("taskset");
                pinned.args(["-c", core]).arg(binary);
                pinned
            }
            None => Command::new(binary),
        };
        let mut child = command
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
            .args(extra)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let port = match child.stderr.take().map(read_port) {
            Some(Ok(port)) => port,
            other => {
                let _ = child.kill();
                return Err(format!("the server did not say its port: {other:?}"));
            }
        };
        let mut server = Server {
            child,
            port,
            start_ms: 0.0,
        };
        server.post(body)?;
        server.start_ms = began.elapsed().as_secs_f64() * 1000.0;
        Ok(server)
    }

    /// One request over a connection of its own; the answer's head and body.
    pub fn post(&self, body: &[u8]) -> Result<String, String> {
        let run = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            let head = format!(
                "POST /decision HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(body)?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        run().map_err(|error| error.to_string())
    }

    /// Time that the only worker has spent on a processor.
    pub fn worker_ns(&self) -> Result<u64, String> {
        let tasks =
            std::fs::read_dir(format!("/proc/{}/task", self.child.id())).map_err(|e| e.to_string())?;
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

    /// Resident memory.
    pub fn rss_mib(&self) -> Result<f64, String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .map_err(|e| e.to_string())?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        let kib: f64 = line
            .trim()
            .trim_end_matches(" kB")
            .trim()
            .parse()
            .map_err(|_| "VmRSS is no number")?;
        Ok(kib / 1024.0)
    }

    /// Requests per second under `wrk`, which runs on another core where there is one.
    pub fn load(&self, script: &Path, seconds: u32) -> Result<f64, String> {
        let mut command = if on_path("taskset") {
            let mut pinned = Command::new("taskset");
            pinned.args(["-c", "1", "wrk"]);
            pinned
        } else {
            Command::new("wrk")
        };
        let output = command
            .args(["-t1", "-c32", &format!("-d{seconds}s"), "-s"])
            .arg(script)
            .arg(format!("http://127.0.0.1:{}/decision", self.port))
            .output()
            .map_err(|error| format!("wrk: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if text.contains("Non-2xx") {
            return Err(format!("wrk saw errors: {text}"));
        }
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("Requests/sec:"))
            .ok_or("no figure from wrk")?;
        line.trim()
            .parse()
            .map_err(|_| "the figure of wrk is no number".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a command can be called.
#[must_use]
pub fn on_path(command: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(command).is_file()))
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
