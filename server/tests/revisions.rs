//! Which revision decides, and which are kept: after the answer to a reload, on threads that nobody asks, and while records cannot
//! be written.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::cli::Folder;
use common::{Server, eventually, file, granted, on_each_driver};
use serde_json::Value;

/// An empty folder of this test.
fn folder(name: &str) -> Folder {
    let folder = Folder::new(name, &[]);
    let _ = fs::remove_dir_all(&folder.0);
    fs::create_dir_all(&folder.0).unwrap();
    folder
}

fn records(output: &str) -> Vec<Value> {
    output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Status and body of an answer of the admin port.
fn admin(at: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    let text =
        format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

fn revisions_kept(at: SocketAddr) -> u64 {
    let (_, metrics) = admin(at, "GET /metrics");
    let value = |line: &str| line.strip_prefix("gavel_policy_revisions_kept ")?.parse().ok();
    metrics.lines().find_map(value).unwrap()
}

/// Threads that nobody asks let go of what they had: those of the decision API, and those for Envoy.
#[test]
fn idle_threads_keep_no_old_revision() {
    let flags = ["--envoy-port", "0", "--threads", "2", "--admin", "127.0.0.1:0"];
    let mut server = Server::start_on(&file("gate.yml"), "epoll", &flags, |_| {});
    let at = server.address_behind("admin on ");
    for number in 2..5 {
        let (status, body) = admin(at, &format!("POST /reload?revision=number-{number}"));
        assert_eq!(status, 200, "{body}");
        eventually(|| revisions_kept(at) == 1);
    }
    server.stop();
}

/// What begins after the answer to a reload is decided by what that loaded, or by something newer: on every core, also while
/// others reload.
#[test]
fn a_reload_that_was_answered_holds_on_every_core() {
    on_each_driver(|driver| {
        let flags = ["--threads", "2", "--admin", "127.0.0.1:0", "--revision", "first"];
        let mut server = Server::start(driver, &flags);
        let at = server.address_behind("admin on ");
        // A pipe that nobody reads is an outage.
        let stdout = server.take_stdout();
        let output = thread::spawn(move || std::io::read_to_string(stdout).unwrap());
        // Connections are dealt, so that each core has one.
        let mut clients = [server.connect(), server.connect()];
        let mut least = Vec::new();
        let over = AtomicBool::new(false);
        // Each load has another label, so that it is another revision.
        let reload = |label: String| {
            let (status, body) = admin(at, &format!("POST /reload?revision={label}"));
            assert_eq!(status, 200, "{body}");
            let answer: Value = serde_json::from_str(&body).unwrap();
            answer["revision"].as_u64().unwrap()
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..1000 {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    reload(format!("beside-{number}"));
                }
            });
            for number in 0..60 {
                let revision = reload(format!("number-{number}"));
                for client in &mut clients {
                    let ask = format!(r#"{{"operation":"shop:door:open","context":{{"least":{revision}}}}}"#);
                    assert_eq!(client.post(&ask), granted());
                    least.push(revision);
                }
            }
            over.store(true, Ordering::Relaxed);
        });
        let (status, _, log) = server.stop();
        assert_eq!(status.code(), Some(0), "{log:#?}");
        let records = records(&output.join().unwrap());
        assert_eq!(records.len(), least.len());
        for record in records {
            let revision: u64 = record["metadata"]["env"]["policy.revision"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            let least = record["porc"]["context"]["least"].as_u64().unwrap();
            assert!(revision >= least, "{revision} after {least}");
        }
    });
}

/// Records cannot be written while one revision follows the other: what is kept for them is bounded, each record that is written
/// names what decided, and a mark says how many are missing.
#[test]
fn an_outage_of_the_records_keeps_few_revisions() {
    const REVISIONS: u64 = 14;
    let folder = folder("revisions-outage");
    let path = folder.0.join("records.jsonl");
    let flags = [
        "--admin",
        "127.0.0.1:0",
        "--revision",
        "first",
        "--audit-file",
        path.to_str().unwrap(),
    ];
    let mut server = Server::start("epoll", &flags);
    let at = server.address_behind("admin on ");
    let mut client = server.connect();
    let mut ask = |revision: u64, padding: usize| {
        let padding = "x".repeat(padding);
        let porc =
            format!(r#"{{"operation":"shop:door:open","context":{{"by":{revision},"x":"{padding}"}}}}"#);
        assert_eq!(client.post(&porc), granted());
    };
    server.limit_files("100");
    ask(1, 0);
    server.wait_for("cannot be written");
    // More than the audit thread takes before it waits for the disk: from here on frames stay in the ring.
    (0..30).for_each(|_| ask(1, 20_000));
    for revision in 2..=REVISIONS {
        let (status, body) = admin(at, &format!("POST /reload?revision=number-{revision}"));
        assert_eq!(status, 200, "{body}");
        ask(revision, 0);
        assert!(revisions_kept(at) <= 8 + 2, "{revision}");
    }
    server.wait_for("no access record is taken of revision 10: ");
    server.limit_files("unlimited");
    server.wait_for("access records of revision 14 are taken");
    eventually(|| revisions_kept(at) == 1);
    ask(REVISIONS, 0);
    let (status, _, log) = server.stop();
    assert_eq!(status.code(), Some(0), "{log:#?}");
    let (mut by, mut missing) = (Vec::new(), Vec::new());
    for record in records(&fs::read_to_string(&path).unwrap()) {
        if let Some(count) = record["gap"]["records"].as_str() {
            missing.push(count.parse::<u64>().unwrap());
            continue;
        }
        let number = record["porc"]["context"]["by"].as_u64().unwrap();
        assert_eq!(
            record["metadata"]["env"]["policy.revision"],
            number.to_string().as_str()
        );
        by.push(number);
    }
    by.dedup();
    let want: Vec<u64> = (1..10).chain([REVISIONS]).collect();
    assert_eq!((by, missing), (want, vec![REVISIONS - 9]));
}
