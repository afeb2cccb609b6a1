//! A real server process on a free port, and a client that sends bytes.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::indexing_slicing, reason = "a failed test panics")]

pub(crate) mod audit;
pub(crate) mod cli;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) const GRANTED: &str = r#"{"operation":"shop:door:open"}"#;
pub(crate) const DENIED: &str = r#"{"operation":"shop:door:shut"}"#;

/// How long is waited for what has to come: on a slow machine, too, it comes sooner.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The drivers to test: the one that `GAVEL_IO` names, or both, as far as this machine allows io_uring at all.
pub(crate) fn drivers() -> Vec<String> {
    match std::env::var("GAVEL_IO") {
        Ok(driver) => vec![driver],
        Err(_) => ["epoll", "uring"].map(str::to_owned).into(),
    }
}

/// Runs a test on every driver, on all at the same time.
pub(crate) fn on_each_driver(test: impl Fn(&str) + Sync) {
    thread::scope(|scope| {
        for driver in drivers() {
            if driver == "uring" && !uring_allowed() {
                eprintln!("this machine allows no io_uring: tested on epoll only");
                continue;
            }
            let test = &test;
            scope.spawn(move || {
                eprintln!("driver {driver}");
                test(&driver);
            });
        }
    });
}

fn uring_allowed() -> bool {
    gavel_server::io::Core::build(gavel_server::io::DriverChoice::Uring).is_ok()
}

pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/files")
        .join(name)
}

pub(crate) fn gavel() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gavel"));
    command
        .env_remove("GAVEL_IO")
        .env("RUST_BACKTRACE", "0")
        .env("MPE_CONFIG_PATH", "");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MPE_")) {
        command.env_remove(name);
    }
    command
}

/// The smallest spool that there is, in this folder, under this policy.
pub(crate) fn small_spool<'f>(policy: &'f str, folder: &'f Path) -> [&'f str; 6] {
    [
        "--audit-full",
        policy,
        "--audit-spool",
        folder.to_str().unwrap(),
        "--audit-spool-bytes",
        "262144",
    ]
}

/// A process that does not outlive the test that started it, also when the test fails.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail for a process that has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Server {
    child: Process,
    pub(crate) port: u16,
    stdout: Option<ChildStdout>,
    lines: Receiver<String>,
    stderr: JoinHandle<()>,
    seen: Vec<String>,
}

impl Server {
    /// A server for `shop.yml` with these flags more.
    pub(crate) fn start(driver: &str, flags: &[&str]) -> Server {
        Server::start_with(driver, flags, |_| {})
    }

    pub(crate) fn start_with(driver: &str, flags: &[&str], change: impl FnOnce(&mut Command)) -> Server {
        Server::start_on(&file("shop.yml"), driver, flags, change)
    }

    pub(crate) fn start_on(
        bundle: &Path,
        driver: &str,
        flags: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> Server {
        let mut command = gavel();
        command
            .args(["serve", "--port", "0", "--io", driver, "-b"])
            .arg(bundle);
        if !flags.contains(&"--threads") {
            command.args(["--threads", "1"]);
        }
        Server::start_command(command.args(flags), change)
    }

    /// A server that this command starts.
    pub(crate) fn start_command(command: &mut Command, change: impl FnOnce(&mut Command)) -> Server {
        change(command);
        let mut server = Server::spawn(command);
        let address = server.address_behind("listening on ");
        server.port = address.port();
        server
    }

    /// A process that this command starts, which may not serve decisions at all.
    pub(crate) fn spawn(command: &mut Command) -> Server {
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (tell, lines) = mpsc::channel();
        let reader = BufReader::new(child.stderr.take().unwrap());
        let stderr = thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let stdout = child.stdout.take();
        Server {
            child: Process(child),
            port: 0,
            stdout,
            lines,
            stderr,
            seen: Vec::new(),
        }
    }

    /// The next line of the log with this text.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                panic!("no line with {text:?} in {:#?}", self.seen);
            });
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The address right behind this text, in the next line of the log that has it.
    pub(crate) fn address_behind(&mut self, text: &str) -> SocketAddr {
        let line = self.wait_for(text);
        let rest = line.split(text).nth(1).unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    }

    /// Whether the log has a line with this text by now.
    pub(crate) fn saw(&mut self, text: &str) -> bool {
        self.seen.extend(self.lines.try_iter());
        self.seen.iter().any(|line| line.contains(text))
    }

    pub(crate) fn connect(&self) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Client {
            stream,
            buffer: Vec::new(),
        }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.0.try_wait().unwrap().is_some()
    }

    pub(crate) fn take_stdout(&mut self) -> ChildStdout {
        self.stdout.take().unwrap()
    }

    /// Takes what comes out of it as it comes, so that nothing waits for that: all of it, once it has ended.
    pub(crate) fn read_records(&mut self) -> JoinHandle<String> {
        let mut stdout = self.take_stdout();
        thread::spawn(move || {
            let mut output = String::new();
            stdout.read_to_string(&mut output).unwrap();
            output
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args(["-s", signal, &self.child.0.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Bounds the size of its files: to so many bytes there is no room on the disk.
    pub(crate) fn limit_files(&self, limit: &str) {
        let pid = self.pid().to_string();
        let flag = format!("--fsize={limit}:");
        let status = Command::new("prlimit").args(["--pid", &pid, &flag]).status();
        assert!(status.unwrap().success());
    }

    /// Ends the server with SIGTERM: exit status, standard output, log.
    pub(crate) fn stop(self) -> (ExitStatus, String, Vec<String>) {
        self.signal("TERM");
        self.wait()
    }

    pub(crate) fn wait(mut self) -> (ExitStatus, String, Vec<String>) {
        let mut output = String::new();
        if let Some(mut stdout) = self.stdout.take() {
            stdout.read_to_string(&mut output).unwrap();
        }
        let status = self.child.0.wait().unwrap();
        self.stderr.join().unwrap();
        self.seen.extend(self.lines.try_iter());
        (status, output, self.seen)
    }
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) close: bool,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn post(&mut self, body: &str) -> Answer {
        self.send(post(body));
        self.answer().unwrap()
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    pub(crate) fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// The next answer; none once the server closed the connection.
    pub(crate) fn answer(&mut self) -> Option<Answer> {
        self.answer_with_head().map(|(_, answer)| answer)
    }

    /// The next answer, with its head as text.
    pub(crate) fn answer_with_head(&mut self) -> Option<(String, Answer)> {
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more() {
                assert!(
                    self.buffer.is_empty(),
                    "cut: {}",
                    String::from_utf8_lossy(&self.buffer)
                );
                return None;
            }
        };
        let head = String::from_utf8(self.buffer.drain(..head_end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head
            .lines()
            .find_map(|l| l.strip_prefix("Content-Length: "))
            .map_or(0, |l| l.parse().unwrap());
        while self.buffer.len() < length {
            assert!(self.more(), "the body is cut");
        }
        let body = String::from_utf8(self.buffer.drain(..length).collect()).unwrap();
        let close = head.contains("\r\nConnection: close\r\n");
        Some((head, Answer { status, close, body }))
    }

    fn more(&mut self) -> bool {
        let mut chunk = [0; 65536];
        match self.stream.read(&mut chunk) {
            Ok(read) => {
                self.buffer.extend_from_slice(&chunk[..read]);
                read > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) if error.kind() == ErrorKind::Interrupted => self.more(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Nothing more comes and the connection is closed.
    #[track_caller]
    pub(crate) fn expect_closed(&mut self) {
        assert_eq!(self.answer(), None);
    }

    /// The service closes, whatever it says before.
    pub(crate) fn expect_closed_with_anything(&mut self) {
        while self.more() {}
    }
}

pub(crate) fn post(body: &str) -> String {
    let length = body.len();
    format!(
        "POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

pub(crate) fn granted() -> Answer {
    Answer {
        status: 200,
        close: false,
        body: "{\"allow\":true}\n".to_owned(),
    }
}

pub(crate) fn denied() -> Answer {
    Answer {
        status: 200,
        close: false,
        body: "{\"allow\":false}\n".to_owned(),
    }
}

/// How many records there are, and how many more are told to be missing.
pub(crate) fn records_and_lost(output: &str) -> (usize, usize) {
    let (mut records, mut lost) = (0, 0);
    for line in output.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        match line["gap"]["records"].as_str() {
            Some(count) => lost += count.parse::<usize>().unwrap(),
            None => records += 1,
        }
    }
    (records, lost)
}

/// Asks for batches of grants, four times sixty with a number each, so much that the smallest spool reaches its bound in the
/// middle of one if nobody takes what is delivered. The numbers that were granted, and whether one batch had both answers.
pub(crate) fn grants_of_batches(
    client: &mut Client,
    mut after_each: impl FnMut(),
) -> (BTreeSet<String>, bool) {
    let padding = "x".repeat(2500);
    let (mut granted, mut is_mixed) = (BTreeSet::new(), false);
    for round in 0..4 {
        let numbers: Vec<String> = (0..60).map(|at| format!("{round}-{at}")).collect();
        let porc = |number: &String| {
            format!(r#"{{"operation":"shop:door:open","context":{{"number":"{number}","x":"{padding}"}}}}"#)
        };
        let porcs: Vec<String> = numbers.iter().map(porc).collect();
        let batch = post(&format!("[{}]", porcs.join(",")));
        client.send(batch.replacen("/decision ", "/decisions ", 1));
        let answers: Vec<serde_json::Value> = serde_json::from_str(&client.answer().unwrap().body).unwrap();
        assert_eq!(answers.len(), numbers.len());
        let allowed = |answer: &serde_json::Value| answer["allow"] == true;
        is_mixed |= answers.iter().any(allowed) && !answers.iter().all(allowed);
        let taken = numbers.into_iter().zip(&answers);
        let taken = taken.filter(|(_, answer)| allowed(answer));
        granted.extend(taken.map(|(number, _)| number));
        after_each();
    }
    (granted, is_mixed)
}

/// Waits until `done`, for a bounded time.
#[track_caller]
pub(crate) fn eventually(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "it did not happen");
        thread::sleep(Duration::from_millis(10));
    }
}
