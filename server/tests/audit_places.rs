//! Where access records go, with real processes: spools that are taken away, records that go nowhere, places that cannot be had.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::audit::{cat, folder, numbered, read, segments, text};
use common::cli::{outcome, run_words};
use common::{GRANTED, Server, denied, eventually, granted, on_each_driver};

/// Somebody takes files of the spool away, or all of it: what was answered for by then is lost, and said to be; nothing more is
/// answered for by what has no name.
#[test]
fn a_spool_that_is_taken_away() {
    on_each_driver(|driver| {
        let spool = folder("gone", driver);
        let flags = [
            "--audit-full",
            "deny",
            "--audit-spool",
            text(&spool),
            "--audit-file",
            "/dev/full",
        ];
        let mut server = Server::start(driver, &flags);
        let mut client = server.connect();
        assert_eq!(client.post(&numbered("first")), granted());
        for segment in segments(&spool) {
            fs::remove_file(segment).unwrap();
        }
        assert_eq!(client.post(&numbered("second")), denied());
        server.wait_for(".spool is gone, with the records in it");
        eventually(|| client.post(&numbered("third")) == granted());
        fs::remove_dir_all(&spool.0).unwrap();
        assert_eq!(client.post(&numbered("fourth")), denied());
        thread::sleep(Duration::from_millis(300));
        assert_eq!(client.post(&numbered("fifth")), denied());
        fs::create_dir(&spool.0).unwrap();
        eventually(|| client.post(&numbered("sixth")) == granted());
        // Nobody else has the one that was made anew either.
        let shop = common::file("shop.yml");
        let second = [
            "serve",
            "--port",
            "0",
            "-b",
            shop.to_str().unwrap(),
            "--audit-spool",
            text(&spool),
        ];
        let (status, _, log) = run_words(&second, "");
        assert_eq!(status, Some(1));
        assert!(log.contains("another process writes to it"), "{log}");
        let (status, _, log) = server.stop();
        assert_eq!(status.code(), Some(0));
        let said = |text: &str| log.iter().any(|line| line.contains(text));
        assert!(
            said("are lost that were not delivered: their files are gone"),
            "{log:#?}"
        );
        assert!(said("will be delivered at the next start"), "{log:#?}");
        let numbers = read(&cat(&spool).1).0;
        assert_eq!(numbers, ["sixth"]);
    });
}

/// What was moved away has no record of what was denied then, and another spool in its place is left alone.
#[test]
fn a_spool_that_is_moved_and_replaced() {
    let (spool, moved, other) = (
        folder("moved", "here"),
        folder("moved", "away"),
        folder("moved", "other"),
    );
    let flags = ["--audit-spool", text(&other)];
    let server = Server::start("epoll", &flags);
    assert_eq!(server.connect().post(&numbered("older")), granted());
    server.stop();
    let flags = ["--audit-full", "deny", "--audit-spool", text(&spool)];
    let mut server = Server::start("epoll", &flags);
    let mut client = server.connect();
    assert_eq!(client.post(&numbered("first")), granted());
    fs::rename(&spool.0, &moved.0).unwrap();
    fs::rename(&other.0, &spool.0).unwrap();
    assert_eq!(client.post(&numbered("second")), denied());
    server.wait_for(".spool is gone, with the records in it");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(client.post(&numbered("third")), denied());
    assert_eq!(read(&cat(&moved).1).0, ["first"]);
    assert_eq!(read(&cat(&spool).1).0, ["older"]);
    let note = fs::read_to_string(spool.0.join("delivered")).unwrap();
    server.stop();
    assert_eq!(read(&cat(&spool).1).0, ["older"]);
    // Nor is what it has to deliver taken for delivered.
    assert_eq!(fs::read_to_string(spool.0.join("delivered")).unwrap(), note);
}

/// The note says how far delivery came in a file that somebody has taken away.
#[test]
fn a_file_of_a_spool_that_is_gone_at_the_start() {
    let spool = folder("missing", "any");
    let flags = ["--audit-spool", text(&spool)];
    let server = Server::start("epoll", &flags);
    assert_eq!(server.connect().post(GRANTED), granted());
    server.stop();
    let segment = segments(&spool).remove(0);
    fs::remove_file(&segment).unwrap();
    let (_, output, log) = Server::start("epoll", &flags).stop();
    assert_eq!(output, "");
    let want = format!(
        "{} is gone, up to which records were delivered",
        segment.display()
    );
    assert!(log.iter().any(|line| line.contains(&want)), "{log:#?}");
}

/// Whoever closes standard output, or sends it nowhere, hears of it.
#[test]
fn records_that_go_nowhere() {
    let shop = common::file("shop.yml");
    let serve = |redirection: &str, policy: &str| {
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                &format!("exec \"$0\" \"$@\" {redirection}"),
                env!("CARGO_BIN_EXE_gavel"),
            ])
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
            .arg(&shop)
            .args(["--audit-full", policy]);
        command
    };
    for redirection in [">&-", ">/dev/null"] {
        let (status, _, log) = outcome(serve(redirection, "deny").output().unwrap());
        assert_eq!(status, Some(1), "{redirection}");
        assert!(log.contains("name a file with --audit-file"), "{log}");
        let mut server = Server::start_command(&mut serve(redirection, "wait"), |_| {});
        assert_eq!(server.connect().post(GRANTED), granted());
        assert!(server.saw("access records are kept nowhere: standard output is closed or /dev/null"));
        assert_eq!(server.stop().0.code(), Some(0));
    }
}

#[test]
fn places_that_cannot_be_had() {
    let spool = folder("taken", "any");
    let server = Server::start("epoll", &["--audit-spool", text(&spool)]);
    let try_with = |flags: &[&str]| {
        let shop = common::file("shop.yml");
        let args = [&["serve", "--port", "0", "-b", shop.to_str().unwrap()], flags].concat();
        let (status, output, log) = run_words(&args, "");
        assert_eq!((status, output.as_str()), (Some(1), ""), "{log}");
        log
    };
    let log = try_with(&["--audit-spool", text(&spool)]);
    assert!(log.contains("another process writes to it"), "{log}");
    server.stop();
    let log = try_with(&["--audit-spool", "/proc/gavel-spool"]);
    assert!(log.contains("/proc/gavel-spool"), "{log}");
    let log = try_with(&["--audit-spool", "/dev/null"]);
    assert!(log.contains("/dev/null: not a directory"), "{log}");
    let damaged = folder("damaged-note", "any");
    fs::create_dir(&damaged.0).unwrap();
    fs::write(damaged.0.join("delivered"), "here").unwrap();
    let log = try_with(&["--audit-spool", text(&damaged)]);
    assert!(log.contains("`delivered` does not hold a segment and an offset: without it all that the spool has is delivered again"), "{log}");
    let log = try_with(&["--audit-file", "/proc/gavel/access.jsonl"]);
    assert!(log.contains("/proc/gavel/access.jsonl"), "{log}");
    let log = try_with(&["--audit-spool", text(&spool), "--audit-spool-bytes", "1000"]);
    assert!(log.contains("at least 262144"), "{log}");
    let log = try_with(&["--audit-fsync", "never"]);
    assert!(log.contains("--audit-spool"), "{log}");
    let (status, _, log) = run_words(&["audit", "cat", "/nowhere"], "");
    assert_eq!(status, Some(1));
    assert!(log.contains("/nowhere"), "{log}");
}
