//! How many connections Envoys may have, and what becomes of their calls when one has to go: real processes and sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;
#[path = "common/grpc.rs"]
mod grpc;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::{Server, eventually, file};
use grpc::{CHECK, GrpcClient, request};

/// A server for this domain with so many connections of Envoys, and their port.
fn start(domain: &str, connections: &str, flags: &[&str]) -> (Server, u16) {
    let mut all = vec!["--envoy-port", "0", "--envoy-max-connections", connections];
    all.extend(flags);
    let mut server = Server::start_on(&file(domain), "epoll", &all, |_| {});
    let port = server.address_behind("serving Envoy gRPC on ").port();
    (server, port)
}

/// More Envoys than there may be connections take them from each other all the time; a call either has its answer, or its
/// connection said before that it takes no more, so that the Envoy asks on another one.
#[test]
fn no_call_is_lost_when_its_connection_has_to_go() {
    let (server, port) = start("gate.yml", "4", &["--threads", "2"]);
    let (answers, farewells) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let end = Instant::now() + Duration::from_secs(3);
    thread::scope(|scope| {
        for pause_us in [0, 50, 200, 500, 1_000, 2_000, 5_000, 10_000_u64] {
            let (answers, farewells) = (&answers, &farewells);
            scope.spawn(move || {
                while Instant::now() < end {
                    let client = GrpcClient::tcp(port);
                    while Instant::now() < end {
                        match client.call(CHECK, request("open", b"/", b"")) {
                            Ok(_) => answers.fetch_add(1, Ordering::Relaxed),
                            Err(status) => {
                                let why = format!("{status:?}");
                                assert!(is_farewell(&why), "{why}");
                                farewells.fetch_add(1, Ordering::Relaxed);
                                break;
                            }
                        };
                        thread::sleep(Duration::from_micros(pause_us));
                    }
                }
            });
        }
    });
    let (status, records, log) = server.stop();
    assert_eq!(status.code(), Some(0));
    assert_eq!(records.lines().count(), answers.into_inner());
    assert!(farewells.into_inner() > 20);
    let told = |line: &&String| line.contains("as there may be (--envoy-max-connections)");
    assert_eq!(log.iter().filter(told).count(), 1, "{log:?}");
}

/// Whether a call was not sent, or by the word of the server not taken.
fn is_farewell(why: &str) -> bool {
    why.contains("NO_ERROR")
        || why.contains("REFUSED_STREAM")
        || why.contains("ChannelClosed")
        || why.contains("Canceled")
}

/// Calls that have begun, one after the other, and never have a message.
#[test]
fn who_only_begins_calls_keeps_nobody_out() {
    let (server, port) = start("gate.yml", "1", &[]);
    let mut holder = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let frame = |length: u8, kind: u8, flags: u8, stream: u8| [0, 0, length, kind, flags, 0, 0, 0, stream];
    let mut head = vec![0x83, 0x86, 0x01, 4];
    head.extend(b"gate\x04\x2c/envoy.service.auth.v3.Authorization/Check");
    head.extend(b"\x0f\x10\x10application/grpc");
    let begin = |stream| [&frame(u8::try_from(head.len()).unwrap(), 1, 4, stream), &head[..]].concat();
    holder.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    holder.write_all(&frame(0, 4, 0, 0)).unwrap();
    holder.write_all(&begin(1)).unwrap();
    thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel::<()>();
        scope.spawn(move || {
            for stream in (3..=255).step_by(2) {
                let pause = stopped.recv_timeout(Duration::from_millis(100));
                if pause != Err(mpsc::RecvTimeoutError::Timeout) || holder.write_all(&begin(stream)).is_err()
                {
                    return;
                }
            }
        });
        thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        assert!(GrpcClient::tcp(port).allows(request("open", b"/", b"")));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        drop(stop);
    });
    let (status, _, _) = server.stop();
    assert_eq!(status.code(), Some(0));
}

/// A service that answers one request with a word once it is told to, and says when it was asked.
fn slow() -> (String, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let (asked, was_asked) = mpsc::channel();
    let (go, gone) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        asked.send(()).unwrap();
        gone.recv().unwrap();
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"word\":\"open\"}";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    (host, was_asked, go)
}

/// The only connection that there may be has a call, and others are connected and have asked when the server ends.
#[test]
fn who_waits_for_a_connection_is_answered_by_a_server_that_drains() {
    let (host, was_asked, go) = slow();
    let (mut server, port) = start("asking.yml", "1", &["--allow-net", &host]);
    thread::scope(|scope| {
        let first = scope.spawn(|| GrpcClient::tcp(port).allows(request(&host, b"/open", b"")));
        was_asked.recv().unwrap();
        let waiting: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| GrpcClient::tcp(port).allows(request("localhost:1", b"/open", b""))))
            .collect();
        server.wait_for("as there may be (--envoy-max-connections)");
        thread::sleep(Duration::from_millis(100));
        server.signal("TERM");
        for client in waiting {
            assert!(!client.join().unwrap());
        }
        eventually(|| TcpStream::connect(("127.0.0.1", port)).is_err());
        go.send(()).unwrap();
        assert!(first.join().unwrap());
    });
    let (status, records, _) = server.wait();
    assert_eq!((status.code(), records.lines().count()), (Some(0), 4));
}

/// `--envoy-max-connections` is for Envoy, and no bound of its own ends the process.
#[test]
fn the_bound_is_any_number_from_one_on() {
    let bundle = file("shop.yml");
    for (flags, said) in [
        ("--envoy-port 0 --envoy-max-connections 0", "must be at least 1"),
        ("--envoy-max-connections 5", "is for Envoy"),
    ] {
        let (status, _, problem) = common::cli::run(&format!("serve -b {} {flags}", bundle.display()), "");
        assert!(status == Some(1) && problem.contains(said), "{problem}");
    }
    let (server, port) = start("gate.yml", &usize::MAX.to_string(), &[]);
    assert!(GrpcClient::tcp(port).allows(request("open", b"/", b"")));
    server.stop();
}
