//! Processes that are measured: on a processor of their own where there are two, their time and memory as `/proc` tells.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How long a server may take until it answers.
const START_MAX: Duration = Duration::from_secs(30);

/// Where servers and the load generator run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cores {
    /// The processor of the server.
    pub server: Option<usize>,
    /// That of the generator; with one processor only, neither is bound.
    pub load: Option<usize>,
}

impl Cores {
    /// The first two processors that this process may use.
    #[must_use]
    pub fn find() -> Cores {
        let usable: Vec<usize> = match sched_getaffinity(None) {
            Ok(set) => (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect(),
            Err(_) => Vec::new(),
        };
        match usable.as_slice() {
            [server, load, ..] => Cores {
                server: Some(*server),
                load: Some(*load),
            },
            _ => Cores {
                server: None,
                load: None,
            },
        }
    }

    /// What was done, in words.
    #[must_use]
    pub fn text(self) -> String {
        match (self.server, self.load) {
            (Some(server), Some(load)) => {
                format!("servers on processor {server}, the load generator on processor {load}")
            }
            _ => "one processor for servers and load generator".to_owned(),
        }
    }
}

/// Does something on one processor, or on any: threads and processes that it starts stay there.
///
/// # Errors
/// The processor may not be used.
pub fn on_core<T>(core: Option<usize>, run: impl FnOnce() -> T) -> Result<T, String> {
    let Some(core) = core else {
        return Ok(run());
    };
    let failed = |error: rustix::io::Errno| format!("affinity: {error}");
    let before = sched_getaffinity(None).map_err(failed)?;
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).map_err(failed)?;
    let done = run();
    sched_setaffinity(None, &before).map_err(failed)?;
    Ok(done)
}

/// A running process; ends with the value.
#[derive(Debug)]
pub struct Process {
    /// The process itself.
    pub child: Child,
}

impl Process {
    /// Starts a command, on one processor or on any.
    ///
    /// # Errors
    /// A command that cannot be started.
    pub fn start(command: &mut Command, core: Option<usize>) -> Result<Process, String> {
        let spawned = on_core(core, || command.spawn())?;
        let name = command.get_program().to_string_lossy().into_owned();
        let child = spawned.map_err(|error| format!("{name}: {error}"))?;
        Ok(Process { child })
    }

    /// ns that all of its threads have spent on processors.
    ///
    /// # Errors
    /// The process has ended.
    pub fn spent_ns(&self) -> Result<u64, String> {
        let tasks =
            std::fs::read_dir(format!("/proc/{}/task", self.child.id())).map_err(|e| e.to_string())?;
        let mut spent = 0;
        for task in tasks.flatten() {
            // A thread may end while its folder is looked at.
            let times = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            let first = times.split_whitespace().next().unwrap_or_default();
            spent += first.parse::<u64>().unwrap_or_default();
        }
        Ok(spent)
    }

    /// Resident memory.
    ///
    /// # Errors
    /// The process has ended.
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

    /// Waits until something answers to a request on the port.
    ///
    /// # Errors
    /// The process ends, or takes too long.
    pub fn wait_for(&mut self, port: u16, path: &str, body: &[u8]) -> Result<String, String> {
        let began = Instant::now();
        loop {
            match post(port, path, body) {
                Ok(answer) => return Ok(answer),
                Err(problem) if began.elapsed() > START_MAX => return Err(problem),
                Err(_) => {}
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("it ended: {status}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request over a connection of its own; the answer's head and body.
///
/// # Errors
/// No connection, or no answer in five seconds.
pub fn post(port: u16, path: &str, body: &[u8]) -> Result<String, String> {
    let run = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
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

/// A port that nobody listens on just now.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|error| error.to_string())
}
