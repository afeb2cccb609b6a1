//! Clients that ask for much and take little: what they cost in memory, and that all of an answer comes to those who take it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;

use std::io::{Read as _, Write as _};

use common::cli::Folder;
use common::{Answer, DENIED, GRANTED, Server, denied, eventually, granted, on_each_driver, post};

const DOCUMENT: &str = "GET /openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\n";

fn resident_kib(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Each asks for 700 KiB, which would be as much memory if answers were made before anybody takes them.
#[test]
fn who_takes_no_answers_costs_little() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let mut other = server.connect();
        assert_eq!(other.post(GRANTED), granted());
        let before_kib = resident_kib(&server);
        let clients: Vec<_> = (0..300)
            .map(|_| {
                let mut client = server.connect();
                client.send(DOCUMENT.repeat(70));
                client
            })
            .collect();
        for _ in 0..50 {
            assert_eq!(other.post(GRANTED), granted());
        }
        // Whoever comes last is served like the first.
        assert_eq!(server.connect().post(DENIED), denied());
        let grown_kib = resident_kib(&server).saturating_sub(before_kib);
        // A receive buffer of 8 KiB and a send buffer of 2 KiB each.
        assert!(grown_kib < 300 * 16, "{grown_kib} KiB");
        drop(clients);
        server.stop();
    });
}

/// Documents are sent in parts, from where they are, between other answers.
#[test]
fn answers_that_are_sent_in_parts_are_whole_and_in_order() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let yaml = include_str!("../src/openapi.yaml");
        let document = |body: &str| Answer {
            status: 200,
            close: false,
            body: body.to_owned(),
        };
        let mut client = server.connect();
        let turn = [&post(GRANTED), DOCUMENT, DOCUMENT, &post(DENIED)].concat();
        for pieces in [1, 7] {
            let text = turn.repeat(40);
            for piece in text.as_bytes().chunks(text.len().div_ceil(pieces)) {
                client.send(piece);
            }
            for _ in 0..40 {
                for want in [granted(), document(yaml), document(yaml), denied()] {
                    assert_eq!(client.answer(), Some(want));
                }
            }
        }
        let last = DOCUMENT.replacen("Host: a", "Host: a\r\nConnection: close", 1);
        client.send(format!("{}{last}", post(GRANTED)));
        assert_eq!(client.answer(), Some(granted()));
        assert_eq!(client.answer().unwrap().body, yaml);
        client.expect_closed();
        server.stop();
    });
}

/// A domain with a document of 64 KiB, and one of fifty such.
fn large_documents(name: &str) -> Folder {
    let text = "x".repeat(64 * 1024);
    let domain = format!(
        r#"apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomain
metadata:
  name: large
spec:
  policies:
    - mrn: "mrn:iam:policy:large"
      rego: |
        package large

        text := "{text}"

        all := [part | some i in numbers.range(1, 50); part := {{i: text}}]
  operations:
    - selector: [".*"]
      policy: "mrn:iam:policy:large"
"#
    );
    Folder::new(&format!("fairness-{name}"), &[("large.yml", &domain)])
}

/// Many batches at once, each of which would keep 4 MiB until its end: most end early instead.
#[test]
fn what_batches_keep_is_bounded() {
    let folder = large_documents("batches");
    let flags = ["--opa", "--v1-compatible", "--threads", "1"];
    let server = Server::start_on(&folder.0.join("large.yml"), "epoll", &flags, |_| {});
    let inputs: Vec<String> = (0..60).map(|id| format!("\"{id}\":{{}}")).collect();
    let body = format!("{{\"inputs\":{{{}}}}}", inputs.join(","));
    let batch = post(&body).replacen("/decision ", "/v1/batch/data/large/text ", 1);
    let before = resident_kib(&server);
    let mut clients: Vec<_> = (0..200).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.send(&batch));
    let mut most_kib = before;
    let mut answered = [0, 0];
    for client in &mut clients {
        let (head, answer) = client.answer_with_head().unwrap();
        most_kib = most_kib.max(resident_kib(&server));
        match answer.status {
            200 => answered[0] += 1,
            503 if head.contains("Retry-After: 1") => answered[1] += 1,
            // Of a slow machine's batch a part has its answers in time.
            207 => answered[1] += 1,
            _ => panic!("{head}"),
        }
    }
    assert!(answered.iter().all(|count| *count > 0), "{answered:?}");
    // Two bounds of 64 MiB, and what the allocator gives back a moment later, instead of 800.
    assert!(most_kib - before < 400 * 1024, "{} KiB", most_kib - before);
    assert_eq!(server.connect().post(DENIED), denied());
}

/// Large answers that nobody takes are bounded all together, and decisions go on.
#[test]
fn large_answers_that_nobody_takes_are_bounded() {
    let folder = large_documents("answers");
    let flags = ["--opa", "--v1-compatible"];
    let server = Server::start_on(&folder.0.join("large.yml"), "epoll", &flags, |_| {});
    let ask = "GET /v1/data/large/all HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut client = server.connect();
    client.send(ask);
    let large = client.answer().unwrap();
    assert_eq!(large.status, 200);
    assert!(large.body.len() > 3 << 20, "{}", large.body.len());
    // Some twenty of them reach the bound.
    let mut waiting = Vec::new();
    let mut refused = None;
    for _ in 0..60 {
        let mut one = server.connect();
        one.send(ask);
        let mut start = [0; 12];
        // What has begun to come says whether it is one of those.
        if one.stream.peek(&mut start).is_ok_and(|read| read == 12) && start.ends_with(b"503") {
            refused = Some(one);
            break;
        }
        waiting.push(one);
    }
    let mut refused = refused.expect("no request was refused");
    assert!(waiting.len() > 10, "{}", waiting.len());
    let (head, answer) = refused.answer_with_head().unwrap();
    assert!(answer.status == 503 && head.contains("Retry-After: 1"), "{head}");
    assert_eq!(server.connect().post(DENIED), denied());
    drop(waiting);
    let mut client = server.connect();
    eventually(|| {
        client.stream().write_all(ask.as_bytes()).unwrap();
        client.answer().unwrap() == large
    });
    server.stop();
}

/// Very many batches behind each other, each too small to be interrupted: the others get their turn between them, and dropping what
/// was answered does not cost more and more.
#[test]
fn small_batches_behind_each_other_hold_up_nobody() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &["--max-body-bytes", "16777216"]);
        let mut other = server.connect();
        assert_eq!(other.post(GRANTED), granted());
        let mut client = server.connect();
        let mut answers = client.stream.try_clone().unwrap();
        let batch = post("[]").replacen("/decision ", "/decisions ", 1);
        const BATCHES: usize = 50_000;
        // The body in front of them makes a receive buffer into which they go together.
        let text = post(&" ".repeat(6 << 20)) + &batch.repeat(BATCHES);
        let (told, turns) = std::thread::scope(|scope| {
            let writer = scope.spawn(move || client.send(text));
            let reader = scope.spawn(move || {
                let (mut told, mut chunk) = (0, vec![0; 1 << 16]);
                while told < BATCHES {
                    let read = answers.read(&mut chunk).unwrap();
                    assert!(read > 0);
                    told += chunk[..read].iter().filter(|byte| **byte == b']').count();
                }
                told
            });
            let mut turns = 0;
            while !reader.is_finished() {
                assert_eq!(other.post(GRANTED), granted());
                turns += 1;
            }
            writer.join().unwrap();
            (reader.join().unwrap(), turns)
        });
        assert_eq!(told, BATCHES);
        assert!(turns > 10, "{driver}: {turns}");
        server.stop();
    });
}
