//! A running server: answers, order, limits, and clients that behave badly.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{
    Answer, Client, DENIED, GRANTED, Server, denied, eventually, granted, on_each_driver, post,
    records_and_lost,
};
use gavel_server::limits;

#[test]
fn decisions_and_their_records() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let mut client = server.connect();
        assert_eq!(client.post(GRANTED), granted());
        assert_eq!(client.post(DENIED), denied());
        assert_eq!(client.post("[]").status, 400);
        assert_eq!(client.post("").status, 400);
        assert_eq!(client.post("null").status, 400);
        client.send(post(GRANTED).replace("/decision", "/decision?probe=true"));
        assert_eq!(client.answer(), Some(granted()));
        let (status, output, _) = server.stop();
        assert_eq!(status.code(), Some(0));
        let lines: Vec<serde_json::Value> =
            output.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let decisions: Vec<&str> = lines.iter().map(|l| l["decision"].as_str().unwrap()).collect();
        assert_eq!(decisions, ["GRANT", "DENY", "DENY", "DENY", "DENY"]);
        assert!(output.ends_with('\n'));
    });
}

#[test]
fn a_request_split_at_every_offset() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let mut client = server.connect();
        let request = post(GRANTED);
        for at in 1..request.len() {
            client.send(&request[..at]);
            thread::sleep(Duration::from_micros(300));
            client.send(&request[at..]);
            assert_eq!(client.answer(), Some(granted()), "split at {at}");
        }
        for byte in request.as_bytes() {
            client.send([*byte]);
        }
        assert_eq!(client.answer(), Some(granted()));
        server.stop();
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    on_each_driver(|driver| {
        let mut server = Server::start(driver, &[]);
        let reader = server.read_records();
        let mut client = server.connect();
        let other = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
        let round = format!("{}{}{other}", post(GRANTED), post(DENIED));
        let mut sender = client.stream.try_clone().unwrap();
        let all = round.repeat(2000);
        let writer = thread::spawn(move || std::io::Write::write_all(&mut sender, all.as_bytes()).unwrap());
        for _ in 0..2000 {
            assert_eq!(client.answer(), Some(granted()));
            assert_eq!(client.answer(), Some(denied()));
            assert_eq!(client.answer().unwrap().status, 404);
        }
        writer.join().unwrap();
        server.stop();
        // Where the machine stalls, the audit thread is waited for no longer, and it says so.
        let (records, lost) = records_and_lost(&reader.join().unwrap());
        assert_eq!(records + lost, 4000);
    });
}

#[test]
fn chunks_and_large_bodies() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &["--max-body-bytes", "200000"]);
        let mut client = server.connect();
        let head = "POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunks: String = GRANTED
            .bytes()
            .map(|b| format!("1\r\n{}\r\n", b as char))
            .collect();
        client.send(format!("{head}{chunks}0\r\nTrailer: x\r\n\r\n"));
        assert_eq!(client.answer(), Some(granted()));
        let padded = format!("{}{GRANTED}", " ".repeat(200_000 - GRANTED.len()));
        assert_eq!(client.post(&padded), granted());
        assert_eq!(client.post(GRANTED), granted());
        client.send(post(&format!(" {padded}")));
        let answer = client.answer().unwrap();
        assert_eq!((answer.status, answer.close), (413, true));
        client.expect_closed();
        server.stop();
    });
}

#[test]
fn refusals_reach_a_client_that_still_sends() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let check = |request: &str, status: u16| {
            let mut client = server.connect();
            client.send(request);
            let answer = client.answer().unwrap();
            assert_eq!((answer.status, answer.close), (status, true), "{:.100}", request);
            client.expect_closed();
        };
        check(&post(&" ".repeat(5 * 1024 * 1024)), 413);
        check(
            &format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(100_000)),
            431,
        );
        check(
            &format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(100_000)),
            414,
        );
        check("GET / HTTP/1.1\nHost: a\n\n", 400);
        check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
        check(
            &format!(
                "{}{}",
                post(GRANTED).replace("Content-Type", "Transfer-Encoding: chunked\r\nX"),
                "0\r\n\r\n"
            ),
            400,
        );
        server.stop();
    });
}

#[test]
fn a_client_that_closes_its_half() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let mut client = server.connect();
        client.send(post(GRANTED).repeat(2));
        client.half_close();
        assert_eq!(client.answer(), Some(granted()));
        assert_eq!(client.answer(), Some(granted()));
        client.expect_closed();
        let mut client = server.connect();
        client.send(&post(GRANTED)[..100]);
        client.half_close();
        assert_eq!(client.answer().unwrap().status, 400);
        client.expect_closed();
        let mut client = server.connect();
        client.half_close();
        client.expect_closed();
        server.stop();
    });
}

#[test]
fn keeping_and_closing_a_connection() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let mut client = server.connect();
        assert_eq!(client.post(GRANTED), granted());
        client.send(post(GRANTED).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        assert_eq!(
            client.answer(),
            Some(Answer {
                close: true,
                ..granted()
            })
        );
        client.expect_closed();
        let mut client = server.connect();
        client.send(post(GRANTED).replace("HTTP/1.1", "HTTP/1.0"));
        assert_eq!(
            client.answer(),
            Some(Answer {
                close: true,
                ..granted()
            })
        );
        client.expect_closed();
        let mut client = server.connect();
        for _ in 0..2 {
            client.send(
                post(GRANTED)
                    .replace("HTTP/1.1", "HTTP/1.0")
                    .replace("Host", "Connection: keep-alive\r\nHost"),
            );
            assert_eq!(client.answer(), Some(granted()));
        }
        let mut client = server.connect();
        client.send("HEAD /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let mut text = String::new();
        std::io::Read::read_to_string(&mut client.stream, &mut text).unwrap();
        assert!(
            text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n"),
            "{text}"
        );
        server.stop();
    });
}

#[test]
fn a_client_that_waits_to_be_told() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let (head, body) = (post(GRANTED).replace(GRANTED, ""), GRANTED);
        let head = head.replace("Host: a", "Host: a\r\nExpect: 100-continue");
        let mut client = server.connect();
        client.send(&head);
        assert_eq!(client.answer().unwrap().status, 100);
        client.send(body);
        assert_eq!(client.answer(), Some(granted()));
        client.send(format!("{head}{body}"));
        assert_eq!(client.answer(), Some(granted()));
        client.send(head.replace("application/json", "text/plain"));
        let answer = client.answer().unwrap();
        assert_eq!((answer.status, answer.close), (415, true));
        client.expect_closed();
        server.stop();
    });
}

#[test]
fn several_cores() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &["--threads", "3"]);
        let mut clients: Vec<_> = (0..30).map(|_| server.connect()).collect();
        for client in &mut clients {
            assert_eq!(client.post(GRANTED), granted());
        }
        let (status, output, _) = server.stop();
        assert_eq!(status.code(), Some(0));
        assert_eq!(output.lines().count(), 30);
    });
}

/// A client that always has another request does not keep the core from the others, nor from the signal to end.
#[test]
fn a_flood_leaves_room_for_others() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let floods: Vec<_> = (0..3)
            .map(|_| {
                let stream = server.connect().stream;
                let mut sender = stream.try_clone().unwrap();
                let mut receiver = stream;
                thread::spawn(move || std::io::copy(&mut receiver, &mut std::io::sink()));
                thread::spawn(move || {
                    let requests = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
                    while std::io::Write::write_all(&mut sender, requests.as_bytes()).is_ok() {}
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(200));
        for _ in 0..20 {
            let mut client = server.connect();
            assert_eq!(client.post(GRANTED), granted());
        }
        let (status, output, _) = server.stop();
        assert_eq!(status.code(), Some(0));
        assert_eq!(output.lines().count(), 20);
        floods.into_iter().for_each(|flood| flood.join().unwrap());
    });
}

/// Large requests that do not end fill what a core has for them: one more is turned away, small ones are still served.
#[test]
fn large_requests_that_do_not_end() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let large = format!("{GRANTED}{}", " ".repeat(600_000));
        let mut clients: Vec<_> = (0..80).map(|_| server.connect()).collect();
        for client in &mut clients {
            let request = post(&large);
            client.send(&request[..request.len() - 1]);
        }
        let has_answer = |client: &Client| {
            client.stream.set_nonblocking(true).unwrap();
            let has = client.stream.peek(&mut [0]).is_ok();
            client.stream.set_nonblocking(false).unwrap();
            has
        };
        eventually(|| clients.iter().any(has_answer));
        assert_eq!(server.connect().post(GRANTED), granted());
        let mut refused = clients
            .into_iter()
            .filter_map(|mut client| has_answer(&client).then(|| client.answer().unwrap()));
        let want = Answer {
            status: 503,
            close: true,
            body: "{\"message\":\"too many large requests at the same time\"}\n".to_owned(),
        };
        assert_eq!(refused.next(), Some(want));
        refused.for_each(drop);
        // All of them are gone, and with them what they held.
        eventually(|| server.connect().post(&large) == granted());
        server.stop();
    });
}

/// Slow clients: one that never ends its head, one that never ends its body, one that takes no answers. Each is cut
/// after its ten seconds and a bit, while others are served.
#[test]
fn clients_that_stall_are_cut() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &["--max-body-bytes", "100000"]);
        let start = Instant::now();
        let mut head = server.connect();
        head.send("POST /decision HTTP/1.1\r\nHost: a\r\n");
        let mut body = server.connect();
        body.send(&post(GRANTED)[..110]);
        let deaf = server.connect();
        let mut sender = deaf.stream.try_clone().unwrap();
        let flood = thread::spawn(move || {
            let requests = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
            while std::io::Write::write_all(&mut sender, requests.as_bytes()).is_ok() {}
        });
        let mut idle = server.connect();
        assert_eq!(idle.post(GRANTED), granted());
        head.expect_closed();
        body.expect_closed();
        flood.join().unwrap();
        let took = start.elapsed();
        assert!(
            (Duration::from_secs(9)..Duration::from_secs(limits::IDLE_SECONDS)).contains(&took),
            "{took:?}"
        );
        assert_eq!(idle.post(GRANTED), granted());
        server.stop();
    });
}
