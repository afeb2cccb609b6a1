//! Access records on their way to files and spools, with real processes: order, rotation, kill -9, full disks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]
#![allow(clippy::indexing_slicing, reason = "a failed test panics")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use common::audit::{cat, folder, numbered, read, segments, text};
use common::cli::{Folder, run_words};
use common::{
    DENIED, GRANTED, Server, denied, eventually, granted, grants_of_batches, on_each_driver, post,
    small_spool,
};

#[test]
fn a_file_is_turned_over_and_nothing_is_lost() {
    on_each_driver(|driver| {
        let folder = Folder::new(&format!("audit-file-{driver}"), &[("empty", "")]);
        let path = folder.0.join("access.jsonl");
        let flags = [
            "--audit-file",
            path.to_str().unwrap(),
            "--audit-file-bytes",
            "4096",
        ];
        let server = Server::start(driver, &flags);
        let mut client = server.connect();
        for number in 0..40 {
            assert_eq!(client.post(&numbered(&number.to_string())), granted());
        }
        let (status, output, _) = server.stop();
        assert_eq!((status.code(), output.as_str()), (Some(0), ""));
        let mut numbers = Vec::new();
        for number in (0..11).rev() {
            let name = match number {
                0 => path.clone(),
                number => PathBuf::from(format!("{}.{number}", path.display())),
            };
            if let Ok(text) = fs::read_to_string(name) {
                assert!(text.len() <= 4096 && text.ends_with('\n'));
                numbers.extend(read(&text).0);
            }
        }
        let want: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        assert_eq!(numbers, want);
        assert!(folder.0.join("access.jsonl.5").exists());
    });
}

#[test]
fn a_spool_delivers_in_order_and_can_be_read_by_hand() {
    on_each_driver(|driver| {
        let spool = folder("order", driver);
        let server = Server::start(driver, &["--audit-spool", text(&spool)]);
        let mut client = server.connect();
        for number in 0..50 {
            assert_eq!(client.post(&numbered(&number.to_string())), granted());
        }
        assert_eq!(client.post(DENIED), denied());
        let while_it_runs = cat(&spool);
        assert_eq!(while_it_runs.0, Some(0), "{}", while_it_runs.2);
        let (status, output, _) = server.stop();
        assert_eq!(status.code(), Some(0));
        let (numbers, missing) = read(&output);
        let want: Vec<String> = (0..50)
            .map(|number| number.to_string())
            .chain([String::new()])
            .collect();
        assert_eq!((numbers, missing), (want, 0));
        assert_eq!(cat(&spool), (Some(0), output, String::new()));
        let (status, told, _) = run_words(&["audit", "verify", text(&spool)], "");
        assert_eq!(status, Some(0));
        assert!(
            told.starts_with("51 records in 1 files") && told.contains(" 0 bytes not delivered"),
            "{told}"
        );
        // What was delivered is not delivered again.
        let (_, output, _) = Server::start(driver, &["--audit-spool", text(&spool)]).stop();
        assert_eq!(output, "");
    });
}

/// Asks with numbered requests, several at once, until the server is gone: the numbers of those that were answered.
fn ask_until_the_end(port: u16, name: &str, answered: &AtomicUsize) -> Vec<String> {
    const AT_ONCE: usize = 3;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut known = Vec::new();
    for round in 0.. {
        let numbers = (0..AT_ONCE).map(|at| format!("{name}-{round}-{at}"));
        let requests: String = numbers.clone().map(|number| post(&numbered(&number))).collect();
        if stream.write_all(requests.as_bytes()).is_err() {
            return known;
        }
        for number in numbers {
            let body = answers
                .by_ref()
                .map_while(Result::ok)
                .find(|line| line.starts_with("{\"allow\":"));
            match body.as_deref() {
                Some("{\"allow\":true}") => known.push(number),
                Some(body) => panic!("{body}"),
                None => return known,
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
    known
}

/// The promise of `deny` with a spool: an answer that arrived has its record, whatever happens to the process.
#[test]
fn kill_nine_loses_nothing_that_was_answered() {
    on_each_driver(|driver| {
        for fsync in ["each-batch", "interval", "never"] {
            let spool = folder(&format!("kill-{fsync}"), driver);
            let flags = [
                "--audit-full",
                "deny",
                "--audit-spool",
                text(&spool),
                "--audit-fsync",
                fsync,
            ];
            let mut server = Server::start(driver, &[&flags[..], &["--threads", "2"]].concat());
            let mut stdout = server.take_stdout();
            let first = thread::spawn(move || {
                let mut output = String::new();
                stdout.read_to_string(&mut output).unwrap();
                output
            });
            let answered = AtomicUsize::new(0);
            let known: BTreeSet<String> = thread::scope(|scope| {
                let (port, answered) = (server.port, &answered);
                let clients: Vec<_> = (0..4)
                    .map(|client| scope.spawn(move || ask_until_the_end(port, &client.to_string(), answered)))
                    .collect();
                eventually(|| answered.load(Ordering::Relaxed) > 400);
                server.signal("KILL");
                clients
                    .into_iter()
                    .flat_map(|client| client.join().unwrap())
                    .collect()
            });
            server.wait();
            assert!(known.len() > 400);
            let (status, output, log) = cat(&spool);
            assert_eq!(status, Some(0), "{log}");
            let recorded: BTreeSet<String> = read(&output).0.into_iter().collect();
            let lost: Vec<&String> = known.difference(&recorded).collect();
            assert!(lost.is_empty(), "{fsync}: {lost:?} of {} answers", known.len());
            // Everything comes out at the other end, some of it twice, told by its id. The kill may cut the last line there.
            let (_, second, _) = Server::start(driver, &flags).stop();
            let first = first.join().unwrap();
            let whole = first.rfind('\n').map_or("", |end| &first[..=end]);
            let delivered: BTreeSet<String> = read(whole).0.into_iter().chain(read(&second).0).collect();
            assert_eq!(delivered, recorded);
            let mut ids = BTreeMap::new();
            for line in whole.lines().chain(second.lines()) {
                let record: serde_json::Value = serde_json::from_str(line).unwrap();
                let same = ids.insert(record["metadata"]["id"].to_string(), line);
                assert!(same.is_none_or(|same| same == line));
            }
            assert_eq!(ids.len(), recorded.len());
        }
    });
}

#[test]
fn a_torn_end_is_cut_and_damage_is_told_of() {
    let spool = folder("torn", "any");
    let server = Server::start("epoll", &["--audit-spool", text(&spool)]);
    let mut client = server.connect();
    (0..3).for_each(|number| assert_eq!(client.post(&numbered(&number.to_string())), granted()));
    server.stop();
    let segment = segments(&spool).pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    // As a crash leaves it: half of a frame, of which nothing was delivered.
    fs::write(spool.0.join("delivered"), "1 0\n").unwrap();
    fs::write(&segment, [&whole[..], &whole[16..40]].concat()).unwrap();
    let (status, output, log) = cat(&spool);
    assert_eq!((status, read(&output).0.len()), (Some(0), 3));
    assert!(log.contains("the last 24 bytes are no whole record"), "{log}");
    let (_, output, log) = Server::start("epoll", &["--audit-spool", text(&spool)]).stop();
    assert_eq!(
        read(&output),
        (vec!["0".to_owned(), "1".to_owned(), "2".to_owned()], 0)
    );
    assert!(
        log.iter()
            .any(|line| line.contains("24 bytes of a torn one went")),
        "{log:#?}"
    );
    assert_eq!(fs::read(&segment).unwrap(), whole);
    // A record that was changed is missing, and its place is marked.
    let mut changed = whole.clone();
    changed[100] ^= 1;
    fs::write(&segment, changed).unwrap();
    fs::write(spool.0.join("delivered"), "1 0\n").unwrap();
    let (status, output, log) = cat(&spool);
    assert_eq!((status, read(&output).0.len()), (Some(1), 2));
    assert!(log.contains("1 damaged places"), "{log}");
    assert_eq!(run_words(&["audit", "verify", text(&spool)], "").0, Some(1));
    let (_, output, _) = Server::start("epoll", &["--audit-spool", text(&spool)]).stop();
    assert_eq!(read(&output), (vec!["1".to_owned(), "2".to_owned()], 1));
}

/// The disk has no room: what the policy says happens, and when it has room again records are written, with a mark.
#[test]
fn a_full_disk() {
    on_each_driver(|driver| {
        for policy in ["deny", "drop", "wait"] {
            let spool = folder(&format!("full-{policy}"), driver);
            let flags = ["--audit-full", policy, "--audit-spool", text(&spool)];
            let mut server = Server::start(driver, &flags);
            let mut client = server.connect();
            assert_eq!(client.post(GRANTED), granted());
            server.limit_files("2000");
            let mut refused = 0;
            let padded = format!(
                "{{\"operation\":\"shop:door:open\",\"context\":\"{}\"}}",
                "x".repeat(3000)
            );
            // What is decided before anybody knows of the disk is taken back.
            let batch = post(&format!("[{padded},{DENIED},{padded}]"));
            client.send(batch.replacen("/decision ", "/decisions ", 1));
            let allow = policy != "deny";
            let want = format!("[{{\"allow\":{allow}}},{{\"allow\":false}},{{\"allow\":{allow}}}]\n");
            assert_eq!(client.answer().unwrap().body, want);
            for _ in 0..20 {
                refused += usize::from(client.post(&padded) == denied());
            }
            server.wait_for("cannot be written");
            assert_eq!(refused, if policy == "deny" { 20 } else { 0 }, "{policy}");
            assert_eq!(client.post(GRANTED) == granted(), policy != "deny");
            server.limit_files("unlimited");
            server.wait_for("written again");
            eventually(|| client.post(GRANTED) == granted());
            let (status, output, log) = server.stop();
            assert_eq!(status.code(), Some(0));
            let (records, missing) = read(&output);
            // Under the other policies everything waited in the ring.
            assert_eq!(missing > 0, policy == "deny", "{output} {log:#?}");
            assert!(records.len() >= if policy == "deny" { 2 } else { 23 });
            assert_eq!(cat(&spool).1, output);
        }
    });
}

/// The same for a file, and a disk that never has room again: the process says so and ends in order.
#[test]
fn a_file_on_a_full_disk() {
    for (policy, allowed) in [("deny", false), ("drop", true), ("wait", true)] {
        let flags = ["--audit-full", policy, "--audit-file", "/dev/full"];
        let mut server = Server::start("epoll", &flags);
        let mut client = server.connect();
        eventually(|| {
            client.post(GRANTED);
            server.saw("cannot be written at this moment: /dev/full: no space left on device")
        });
        assert_eq!(client.post(GRANTED) == granted(), allowed, "{policy}");
        let (status, output, log) = server.stop();
        assert_eq!((status.code(), output.as_str()), (Some(0), ""));
        let said = |text: &str| log.iter().any(|line| line.contains(text));
        assert!(
            said("not all access records were written") && !said(" 0 lost"),
            "{log:#?}"
        );
    }
}

/// Nobody takes what is delivered: the spool reaches its bound, and the policy decides.
#[test]
fn a_spool_at_its_bound() {
    on_each_driver(|driver| {
        for policy in ["deny", "drop"] {
            let spool = folder(&format!("bound-{policy}"), driver);
            let mut server = Server::start(driver, &small_spool(policy, &spool.0));
            let stdout = BufReader::new(server.take_stdout());
            let mut client = server.connect();
            let padded = numbered(&"x".repeat(40_000));
            let answers: Vec<_> = (0..120).map(|_| client.post(&padded)).collect();
            server.wait_for("are not delivered");
            let refused = answers.iter().filter(|answer| **answer == denied()).count();
            assert_eq!(refused > 0, policy == "deny");
            let is_over = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&is_over);
            let reader = thread::spawn(move || {
                let mut output = String::new();
                for line in stdout.lines() {
                    let line = line.unwrap();
                    seen.fetch_or(line.contains("\"last\""), Ordering::Relaxed);
                    output.push_str(&line);
                    output.push('\n');
                }
                output
            });
            server.wait_for("written again");
            // A process that ends gives up what it cannot write at once.
            let last = numbered("last");
            eventually(|| client.post(&last) == granted() && is_over.load(Ordering::Relaxed));
            let (status, _, _) = server.stop();
            assert_eq!(status.code(), Some(0));
            let (mut records, missing) = read(&reader.join().unwrap());
            records.retain(|number| number != "last");
            assert!(
                records.len() as u64 + missing >= 120,
                "{} and {missing}",
                records.len()
            );
            let bytes: u64 = segments(&spool)
                .iter()
                .map(|path| path.metadata().unwrap().len())
                .sum();
            assert!(bytes <= 262_144, "{bytes}");
        }
    });
}

/// A write fails in the middle of many records: the spool has those that were answered as grants, no more and no fewer, also
/// for whoever reads it after a crash.
#[test]
fn half_of_many_records_on_a_full_disk() {
    on_each_driver(|driver| {
        for (name, limit) in [("bound", "unlimited"), ("size", "40000")] {
            let spool = folder(&format!("half-{name}"), driver);
            let mut server = Server::start(driver, &small_spool("deny", &spool.0));
            // Nobody reads what is delivered.
            let stdout = server.take_stdout();
            let (granted, is_mixed) = grants_of_batches(&mut server.connect(), || server.limit_files(limit));
            eventually(|| server.saw("cannot be written"));
            assert_eq!(is_mixed, name == "bound", "{driver} {name}");
            server.signal("KILL");
            drop(stdout);
            server.wait();
            let (status, output, log) = cat(&spool);
            assert_eq!(status, Some(0), "{log}");
            let recorded: BTreeSet<String> = read(&output).0.into_iter().collect();
            let [recorded_only, granted_only] =
                [recorded.difference(&granted), granted.difference(&recorded)].map(Iterator::count);
            assert_eq!((recorded_only, granted_only), (0, 0), "{driver} {name}");
        }
    });
}

#[test]
fn what_records_do_not_show() {
    let config = "audit:\n  redact: [/principal/mannotations/secret, /context/cards/*/number]\n  \
                  hash: [/principal/sub]\n  hashkeyfile: KEY\n  sample: {grants: 1000000}\n";
    let folder = Folder::new("audit-shown", &[("key", "0123456789abcdef0123456789abcdef\n")]);
    let key = folder.0.join("key");
    fs::write(
        folder.0.join("mpe-config.yaml"),
        config.replace("KEY", key.to_str().unwrap()),
    )
    .unwrap();
    let configured = |command: &mut Command| {
        command.env("MPE_CONFIG_PATH", &folder.0);
    };
    let server = Server::start_with("epoll", &[], configured);
    let mut client = server.connect();
    let body = r#"{"operation":"shop:door:shut","principal":{"sub":"ann","mannotations":{"secret":"\"s3cret\"","open":"1"}},
        "context":{"cards":[{"number":"4111222233334444"},{"number":4112222233334444,"kind":"visa"}]}}"#;
    assert_eq!(client.post(&body.replace('\n', "")), denied());
    for _ in 0..20 {
        assert_eq!(client.post(GRANTED), granted());
    }
    let (_, output, log) = server.stop();
    // Long enough not to be in an id by chance.
    assert!(
        !output.contains("s3cret") && !output.contains("222233334444") && !output.contains("ann\""),
        "{output}"
    );
    assert!(
        log.iter()
            .any(|line| line.contains("one of 1000000 grants is recorded"))
    );
    let lines: Vec<serde_json::Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["sample"]["grants"], "1000000");
    assert_eq!(lines.len(), 2, "{output}");
    let record = &lines[1];
    assert_eq!(record["porc"]["context"]["cards"][1]["kind"], "visa");
    assert_eq!(
        record["porc"]["principal"]["mannotations"]["secret"],
        "[redacted]"
    );
    // printf ann | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
    let ann = "hmac-sha256:07db5b4bba5fef53c763f1a9cb1ae82cfbf75937aff297f88e797bebf09bfd95";
    assert_eq!(record["porc"]["principal"]["sub"], ann);
    assert_eq!(record["principal"]["subject"], ann);
}
