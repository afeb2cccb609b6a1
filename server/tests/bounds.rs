//! Bounds that the command line sets: connections, requests of one connection, requests that are worked on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;
#[path = "common/grpc.rs"]
mod grpc;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::cli::run;
use common::{GRANTED, PATIENCE, Server, file, granted, on_each_driver, post};
use gavel_server::limits;
use grpc::{GrpcClient, field, request};

#[test]
fn a_connection_ends_with_its_last_request() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &["--max-requests-per-connection", "3"]);
        let mut client = server.connect();
        client.send(format!("{0}{0}{0}{0}", post(GRANTED)));
        for close in [false, false, true] {
            let answer = client.answer().unwrap();
            assert_eq!(
                (answer.body.as_str(), answer.close),
                ("{\"allow\":true}\n", close)
            );
        }
        client.expect_closed();
        assert_eq!(server.connect().post(GRANTED), granted());
        let (status, records, _) = server.stop();
        assert_eq!((status.code(), records.lines().count()), (Some(0), 4));
    });
}

/// Whoever opens connections and asks for nothing keeps nobody out, and who asked before stays longest.
#[test]
fn at_the_bound_one_that_asks_for_nothing_goes_for_a_newcomer() {
    on_each_driver(|driver| {
        let flags = ["--max-connections", "20", "--admin", "127.0.0.1:0"];
        let mut server = Server::start(driver, &flags);
        let mut known = server.connect();
        assert_eq!(known.post(GRANTED), granted());
        let half_body = "POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
        let halves = [
            "",
            "POST /deci",
            "POST /decision HTTP/1.1\r\nHost: a\r\n",
            half_body,
        ];
        let idle: Vec<_> = (0..60)
            .map(|at: usize| {
                let mut client = server.connect();
                client.send(halves.get(at % halves.len()).unwrap_or(&""));
                client
            })
            .collect();
        let begun = Instant::now();
        for _ in 0..5 {
            assert_eq!(server.connect().post(GRANTED), granted());
        }
        // Nobody's time was over before.
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(limits::HEAD_SECONDS), "{took:?}");
        assert_eq!(known.post(GRANTED), granted());
        drop(idle);
        let at = server.address_behind("admin on ");
        assert!(evicted(at) >= 41, "{}", evicted(at));
        let (status, _, log) = server.stop();
        assert_eq!(status.code(), Some(0));
        let told = |line: &&String| line.contains("20 connections, as many as it may have");
        assert_eq!(log.iter().filter(told).count(), 1, "{log:?}");
    });
}

/// What `/metrics` says of connections that went for others.
fn evicted(at: SocketAddr) -> usize {
    let mut stream = TcpStream::connect(at).unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix("gavel_connections_evicted_total "));
    line.unwrap().parse().unwrap()
}

/// A connection that has to go is answered first what it asked.
#[test]
fn what_is_here_is_answered_before_its_connection_goes() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &["--max-connections", "1"]);
        for _ in 0..20 {
            let mut first = server.connect();
            let batch = format!("[{}]", vec![GRANTED; 50].join(","));
            first.send(post(&batch).replacen("/decision ", "/decisions ", 1));
            let mut second = server.connect();
            second.send(post(GRANTED));
            assert_eq!(first.answer().unwrap().status, 200);
            assert_eq!(second.answer(), Some(granted()));
        }
        server.stop();
    });
}

#[test]
fn what_is_over_the_requests_that_are_worked_on_may_come_again() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &["--max-in-flight", "1"]);
        let mut batch = server.connect();
        let body = format!("[{}]", vec![GRANTED; 10_000].join(","));
        let request = post(&body).replacen("/decision ", "/decisions?probe=true ", 1);
        let end = Instant::now() + PATIENCE;
        let (mut other, seen) = (server.connect(), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !seen.load(Ordering::Relaxed) && Instant::now() < end {
                    batch.send(&request);
                    assert_eq!(batch.answer().unwrap().status, 200);
                }
            });
            while !seen.load(Ordering::Relaxed) {
                other.send(post(GRANTED));
                let (head, answer) = other.answer_with_head().unwrap();
                if answer.status == 503 {
                    seen.store(true, Ordering::Relaxed);
                    assert!(head.contains("Retry-After: 1\r\n"), "{head}");
                    assert_eq!(
                        answer.body,
                        "{\"message\":\"too many requests at the same time\"}\n"
                    );
                }
                assert!(Instant::now() < end, "never too much at the same time");
            }
        });
        assert_eq!(other.post(GRANTED), granted());
        server.stop();
    });
}

#[test]
fn bounds_of_nothing_are_refused() {
    let bundle = common::file("shop.yml");
    for flag in ["--max-connections", "--max-in-flight", "--max-body-bytes"] {
        let (status, _, problem) = run(&format!("serve -b {} {flag} 0", bundle.display()), "");
        assert!(
            status == Some(1) && problem.contains(&format!("{flag} must be at least 1")),
            "{problem}"
        );
    }
}

/// The most memory that the server had so far.
fn peak_kib(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A CheckRequest whose metadata is nested so deep; each message of it comes in two pieces, if so asked.
fn nested(levels: usize, text: &str, in_pieces: bool) -> Vec<u8> {
    let empty = |number| if in_pieces { field(number, b"") } else { Vec::new() };
    let mut value = field(3, text.as_bytes());
    for _ in 0..levels {
        let pair = [field(1, b"a"), empty(2), field(2, &value)].concat();
        value = [empty(5), field(5, &field(1, &pair))].concat();
    }
    let object = field(1, &[field(1, b"a"), field(2, &value)].concat());
    let metadata = field(1, &[field(1, b"ns"), field(2, &object)].concat());
    let http = field(
        4,
        &field(
            2,
            &[
                field(2, b"GET"),
                field(3, &[field(1, b"x-word"), field(2, b"open")].concat()),
                field(4, b"/"),
            ]
            .concat(),
        ),
    );
    field(1, &[http, field(11, &metadata)].concat())
}

/// Whoever writes the messages of a request in pieces, at each of their levels, is not given a copy for each level.
#[test]
fn messages_in_pieces_take_no_memory_for_each_level() {
    let flags = ["--envoy-port", "0"];
    let mut server = Server::start_on(&file("gate.yml"), "epoll", &flags, |_| {});
    let client = GrpcClient::tcp(server.address_behind("serving Envoy gRPC on ").port());
    // Small ones are as good as whole ones.
    assert!(client.allows(nested(40, "text", true)));
    let text = "x".repeat(4 << 20);
    assert!(client.allows(nested(40, &text, false)));
    let before = peak_kib(&server);
    assert!(!client.allows(nested(40, &text, true)));
    let grown = peak_kib(&server).saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB");
    assert!(client.allows(request("open", b"/", b"")));
    let (_, records, _) = server.stop();
    let refused = records.lines().nth(2).unwrap();
    assert!(
        refused.contains("messages in pieces within messages in pieces"),
        "{refused}"
    );
}
