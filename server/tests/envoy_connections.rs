//! How many connections Envoys may have, and what becomes of their calls when one has to go: real processes and sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;
#[path = "common/grpc.rs"]
mod grpc;
#[path = "common/words.rs"]
mod words;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::{PATIENCE, Server, eventually, file};
use gavel_server::limits;
use grpc::{CHECK, GrpcClient, request};
use words::{Slow, words};

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
    let begun = Instant::now();
    // Of a slow machine's connections as many go, later.
    let is_over = || {
        let least = begun.elapsed() > Duration::from_secs(3);
        least && (farewells.load(Ordering::Relaxed) > 20 || begun.elapsed() > PATIENCE)
    };
    thread::scope(|scope| {
        for pause_us in [0, 50, 200, 500, 1_000, 2_000, 5_000, 10_000_u64] {
            let (answers, farewells, is_over) = (&answers, &farewells, &is_over);
            scope.spawn(move || {
                while !is_over() {
                    let client = GrpcClient::tcp(port);
                    while !is_over() {
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
    assert_eq!(records.lines().count(), answers.load(Ordering::Relaxed));
    assert!(farewells.load(Ordering::Relaxed) > 20);
    let told = |line: &&String| line.contains("as there may be (--envoy-max-connections)");
    // Once a minute.
    assert!((1..=2).contains(&log.iter().filter(told).count()), "{log:?}");
}

/// Whether a call was not sent, or by the word of the server not taken.
fn is_farewell(why: &str) -> bool {
    why.contains("NO_ERROR")
        || why.contains("REFUSED_STREAM")
        || why.contains("ChannelClosed")
        || why.contains("Canceled")
}

/// A connection on which nothing was asked yet.
fn http2(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(&frame(4, 0, 0, b"")).unwrap();
    stream
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let ([high, low], [first, second]) = (stream.to_be_bytes(), length);
    [&[0, first, second, kind, flags, 0, 0, high, low], content].concat()
}

/// The head of a call, behind which its message has to come.
fn head(stream: u16) -> Vec<u8> {
    let mut fields = vec![0x83, 0x86, 0x01, 4];
    fields.extend(b"gate\x04\x2a/envoy.service.auth.v3.Authorization/Check");
    fields.extend(b"\x0f\x10\x10application/grpc");
    frame(1, 4, stream, &fields)
}

/// The message of a call on stream 1, and its end.
fn message(request: &[u8]) -> Vec<u8> {
    let length = u32::try_from(request.len()).unwrap().to_be_bytes();
    frame(0, 1, 1, &[&[0], &length[..], request].concat())
}

/// What says that a connection goes, before it says which calls it takes (RFC 9113, 6.8).
const GOAWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff];

/// Reads until these bytes have come.
#[track_caller]
fn read_until(stream: &mut TcpStream, last: &[u8]) {
    let mut read = Vec::<u8>::new();
    while !read.windows(last.len()).any(|part| part == last) {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "the end after {read:?}");
        read.extend(part.iter().take(count));
    }
}

/// Each hears of it, and a call whose message comes after that has its answer.
#[test]
fn a_call_that_has_begun_is_answered_where_more_have_to_go_than_have_room_for_that() {
    let (server, port) = start("gate.yml", "1", &[]);
    let mut silent: Vec<TcpStream> = (0..limits::ENVOY_LEAVING_MAX + 5).map(|_| http2(port)).collect();
    let mut begun = http2(port);
    begun.write_all(&head(1)).unwrap();
    thread::scope(|scope| {
        let newcomer = scope.spawn(|| GrpcClient::tcp(port).allows(request("open", b"/", b"")));
        read_until(&mut begun, GOAWAY);
        begun.write_all(&message(&request("shut", b"/", b""))).unwrap();
        read_until(&mut begun, b"permission denied");
        assert!(newcomer.join().unwrap());
    });
    for stream in &mut silent {
        read_until(stream, GOAWAY);
    }
    let (status, records, _) = server.stop();
    assert_eq!((status.code(), records.lines().count()), (Some(0), 2));
}

/// It takes longer than the time that a connection has which goes.
#[test]
fn a_message_on_its_way_is_waited_for_where_there_is_room() {
    let (server, port) = start("gate.yml", "1", &[]);
    let mut slow = http2(port);
    slow.write_all(&head(1)).unwrap();
    let message = message(&request("shut", b"/", b""));
    let (first, rest) = message.split_at(message.len() / 2);
    slow.write_all(first).unwrap();
    assert!(GrpcClient::tcp(port).allows(request("open", b"/", b"")));
    read_until(&mut slow, GOAWAY);
    thread::sleep(Duration::from_millis(1000 * limits::ENVOY_LEAVE_SECONDS + 1500));
    slow.write_all(rest).unwrap();
    read_until(&mut slow, b"permission denied");
    let (status, records, _) = server.stop();
    assert_eq!((status.code(), records.lines().count()), (Some(0), 2));
}

/// A server for one Envoy over HTTP, and its port.
fn start_http() -> (Server, u16) {
    let mut command = common::gavel();
    command.args(["serve", "-p", "envoy-http", "--port", "0", "--threads", "1"]);
    command
        .args(["--envoy-max-connections", "1", "-b"])
        .arg(file("gate.yml"));
    let mut server = Server::spawn(&mut command);
    let port = server.address_behind("serving Envoy HTTP on ").port();
    (server, port)
}

/// A connection with a request that begins so.
fn ask_http(port: u16, line: &str, rest: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let text = format!("{line} / HTTP/1.1\r\nhost: shop\r\nx-word: open\r\n{rest}");
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// Over HTTP a connection that waits for its next request is closed when it has to go; not with half a head of one.
#[test]
fn half_a_head_is_waited_for_and_its_answer_says_that_it_is_the_last() {
    for by_newcomer in [true, false] {
        let (mut server, port) = start_http();
        let mut slow = ask_http(port, "GET", "\r\n");
        read_until(&mut slow, b"\r\n\r\n");
        slow.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\nx-w").unwrap();
        if by_newcomer {
            read_until(
                &mut ask_http(port, "GET", "\r\n"),
                b"x-ext-authz-check-result: allowed",
            );
        } else {
            server.signal("TERM");
            server.wait_for("shutting down on signal");
        }
        thread::sleep(Duration::from_millis(300));
        slow.write_all(b"ord: open\r\n\r\n").unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).unwrap();
        for line in ["x-ext-authz-check-result: allowed", "connection: close"] {
            assert!(answer.contains(line), "{by_newcomer}: {answer}");
        }
        if by_newcomer {
            server.signal("TERM");
        }
        let (status, records, _) = server.wait();
        let calls = if by_newcomer { 3 } else { 2 };
        assert_eq!((status.code(), records.lines().count()), (Some(0), calls));
    }
}

/// What has not the rest of a head in time is closed, as where nobody comes.
#[test]
fn half_heads_keep_nobody_out() {
    let (server, port) = start_http();
    let flood: Vec<TcpStream> = (0..5 * limits::ENVOY_LEAVING_MAX)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nhost: sh").unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    let mut newcomer = ask_http(port, "GET", "\r\n");
    read_until(&mut newcomer, b"x-ext-authz-check-result: allowed");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    drop(flood);
    let (status, _, _) = server.stop();
    assert_eq!(status.code(), Some(0));
}

/// As a message over gRPC is.
#[test]
fn a_body_on_its_way_is_waited_for_where_there_is_room() {
    let (server, port) = start_http();
    let mut slow = ask_http(port, "POST", "content-length: 4\r\n\r\nbo");
    read_until(
        &mut ask_http(port, "GET", "\r\n"),
        b"x-ext-authz-check-result: allowed",
    );
    thread::sleep(Duration::from_millis(1000 * limits::ENVOY_LEAVE_SECONDS + 1500));
    slow.write_all(b"dy").unwrap();
    read_until(&mut slow, b"x-ext-authz-check-result: allowed");
    let (status, records, _) = server.stop();
    assert_eq!((status.code(), records.lines().count()), (Some(0), 2));
}

/// First calls that never have a message: more of them than have room to be waited for.
#[test]
fn a_flood_of_who_only_begins_calls_keeps_nobody_out() {
    let (server, port) = start("gate.yml", "1", &[]);
    let flood: Vec<TcpStream> = (0..5 * limits::ENVOY_LEAVING_MAX)
        .map(|_| {
            let mut stream = http2(port);
            stream.write_all(&head(1)).unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    assert!(GrpcClient::tcp(port).allows(request("open", b"/", b"")));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    drop(flood);
    let (status, _, _) = server.stop();
    assert_eq!(status.code(), Some(0));
}

/// Calls that have begun, one after the other, and never have a message.
#[test]
fn who_only_begins_calls_keeps_nobody_out() {
    let (server, port) = start("gate.yml", "1", &[]);
    let mut holder = http2(port);
    holder.write_all(&head(1)).unwrap();
    thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel::<()>();
        scope.spawn(move || {
            // For a minute.
            for stream in (3..=1200).step_by(2) {
                let pause = stopped.recv_timeout(Duration::from_millis(100));
                if pause != Err(mpsc::RecvTimeoutError::Timeout) || holder.write_all(&head(stream)).is_err() {
                    return;
                }
            }
        });
        thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        assert!(GrpcClient::tcp(port).allows(request("open", b"/", b"")));
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        drop(stop);
    });
    let (status, _, _) = server.stop();
    assert_eq!(status.code(), Some(0));
}

/// The only connection that there may be has a call, and others are connected and have asked when the server ends.
#[test]
fn who_waits_for_a_connection_is_answered_by_a_server_that_drains() {
    let slow = Slow::default();
    let host = format!("127.0.0.1:{}", words(&slow));
    let (mut server, port) = start("asking.yml", "1", &["--allow-net", &host]);
    thread::scope(|scope| {
        let first = scope.spawn(|| GrpcClient::tcp(port).allows(request(&host, b"/slow", b"")));
        eventually(|| slow.asked() == 1);
        let message = message(&request("localhost:1", b"/open", b""));
        let mut waiting = [(); 3].map(|()| {
            let mut stream = http2(port);
            stream.write_all(&[head(1), message.clone()].concat()).unwrap();
            stream
        });
        server.wait_for("as there may be (--envoy-max-connections)");
        server.signal("TERM");
        for stream in &mut waiting {
            read_until(stream, b"permission denied");
        }
        drop(waiting);
        eventually(|| TcpStream::connect(("127.0.0.1", port)).is_err());
        slow.answer();
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
