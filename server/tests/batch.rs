//! `POST /decisions`: answers in order, a record each, elements that are none, and fairness to others.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]
#![allow(clippy::indexing_slicing, reason = "a failed test panics")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{Answer, DENIED, GRANTED, Server, denied, granted, on_each_driver, post};

fn batch(body: &str) -> String {
    post(body).replacen("/decision ", "/decisions ", 1)
}

fn answers(body: &str) -> Answer {
    Answer {
        status: 200,
        close: false,
        body: format!("{body}\n"),
    }
}

fn decisions(output: &str) -> Vec<String> {
    let decision = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["decision"].as_str().unwrap().to_owned()
    };
    output.lines().map(decision).collect()
}

#[test]
fn answers_and_records_in_order() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let mut client = server.connect();
        let body = format!(" [{GRANTED}, {DENIED},\n{GRANTED}] ");
        let want = answers(r#"[{"allow":true},{"allow":false},{"allow":true}]"#);
        client.send(batch(&body));
        assert_eq!(client.answer().as_ref(), Some(&want));
        client.send(batch("[]"));
        assert_eq!(client.answer(), Some(answers("[]")));
        client.send(batch(&body).replacen("/decisions", "/decisions?probe=1", 1));
        assert_eq!(client.answer().as_ref(), Some(&want));
        // Among other requests in one write, in chunks, and on a connection that ends with it.
        client.send(format!("{}{}{}", post(DENIED), batch(&body), post(GRANTED)));
        for want in [&denied(), &want, &granted()] {
            assert_eq!(client.answer().as_ref(), Some(want));
        }
        let (first, second) = body.split_at(40);
        let head =
            "POST /decisions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n";
        client.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n"));
        for part in [first, second, ""] {
            client.send(format!("{:x}\r\n{part}\r\n", part.len()));
        }
        assert_eq!(client.answer().unwrap().body, want.body);
        client.expect_closed();
        let (status, output, _) = server.stop();
        assert_eq!(status.code(), Some(0));
        let three = ["GRANT", "DENY", "GRANT"];
        let want = [&three[..], &["DENY"], &three, &["GRANT"], &three].concat();
        assert_eq!(decisions(&output), want);
    });
}

#[test]
fn an_element_that_is_no_request_denies_itself_alone() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let mut client = server.connect();
        client.send(batch(&format!(
            "[{GRANTED},{{nope}},1,null,{GRANTED} {GRANTED},{GRANTED}]"
        )));
        let answer = client.answer().unwrap();
        assert_eq!(answer.status, 200);
        let body: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
        let allowed: Vec<bool> = body.iter().map(|a| a["allow"].as_bool().unwrap()).collect();
        assert_eq!(allowed, [true, false, false, false, false, true]);
        // The text is the one that the element alone would have got.
        for (at, alone) in [(1, "{nope}"), (2, "1"), (3, "null")] {
            let message: serde_json::Value = serde_json::from_str(&client.post(alone).body).unwrap();
            assert_eq!(body[at]["error"], message["message"]);
        }
        assert!(body[4]["error"].is_string() && body[0].get("error").is_none());
        let (_, output, _) = server.stop();
        let want = [
            "GRANT", "DENY", "DENY", "DENY", "DENY", "GRANT", "DENY", "DENY", "DENY",
        ];
        assert_eq!(decisions(&output), want);
    });
}

#[test]
fn a_body_that_is_no_array_decides_nothing() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let mut client = server.connect();
        let mut refused = |body: &str, status: u16, text: &str| {
            client.send(batch(body));
            let answer = client.answer().unwrap();
            assert_eq!(answer.status, status, "{body:.60}");
            assert!(answer.body.contains(text) && !answer.close, "{}", answer.body);
        };
        refused(GRANTED, 400, "no array of requests: `[` expected at offset 0");
        refused("", 400, "`[` expected");
        refused(&format!("[{GRANTED},"), 400, "unexpected end at offset 32");
        refused(&format!("[{GRANTED}]]"), 400, "text behind the array");
        let many = format!("[{}]", vec!["1"; 10_001].join(","));
        refused(&many, 413, "more than 10000 requests");
        client.send(batch("[]").replace("application/json", "text/plain"));
        assert_eq!(client.answer().unwrap().status, 415);
        client.send(batch("[]").replacen("/decisions", "/decisions?probe=x", 1));
        assert_eq!(client.answer().unwrap().status, 400);
        client.send("GET /decisions HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().unwrap().status, 405);
        assert_eq!(client.post(GRANTED), granted());
        let (_, output, _) = server.stop();
        assert_eq!(
            decisions(&output),
            ["DENY", "DENY", "DENY", "DENY", "DENY", "GRANT"]
        );
    });
}

/// While a core works on long batches, a client of the same core is served, and the signal to end is heard.
#[test]
fn long_batches_leave_room_for_others() {
    const ELEMENTS: usize = 10_000;
    on_each_driver(|driver| {
        let mut server = Server::start(driver, &["--audit-full", "deny"]);
        let records = server.take_stdout();
        let records = thread::spawn(move || std::io::read_to_string(records).unwrap());
        let body = format!("[{}]", vec![GRANTED; ELEMENTS].join(","));
        let want = format!("[{}]", vec![r#"{"allow":true}"#; ELEMENTS].join(","));
        let done = AtomicBool::new(false);
        let mut beside = 0usize;
        thread::scope(|scope| {
            let batches = (0..2).map(|_| {
                let mut client = server.connect();
                let (body, want, done) = (&body, &want, &done);
                scope.spawn(move || {
                    client.send(batch(body));
                    let answer = client.answer().unwrap();
                    done.store(true, Ordering::Relaxed);
                    // No record was lost although all of them came at once, so no grant was turned into a denial.
                    assert_eq!(answer, answers(want));
                })
            });
            let batches: Vec<_> = batches.collect();
            let mut client = server.connect();
            while !done.load(Ordering::Relaxed) {
                assert_eq!(client.post(GRANTED), granted());
                beside += 1;
            }
            batches.into_iter().for_each(|batch| batch.join().unwrap());
        });
        assert!(beside > 5, "{beside} requests were answered beside two batches");
        let (status, _, log) = server.stop();
        assert_eq!(status.code(), Some(0));
        let all = 2 * ELEMENTS + beside;
        let served = format!("{all} access records written, 0 lost");
        assert!(log.iter().any(|line| line.contains(&served)), "{log:#?}");
        assert_eq!(records.join().unwrap().lines().count(), all);
    });
}
