//! `POST /decisions`: answers in order, a record each, elements that are none, and fairness to others.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]
#![allow(clippy::indexing_slicing, reason = "a failed test panics")]

mod common;

use std::io::{BufRead as _, BufReader};
use std::sync::mpsc;
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

/// Whoever asks for one thing while a core works on two long batches is answered after a part of each. The order of what was done
/// shows it, however fast the machine is at that moment; each answer is that of its record.
#[test]
fn long_batches_leave_room_for_others() {
    const ELEMENTS: usize = 10_000;
    on_each_driver(|driver| {
        let mut server = Server::start(driver, &["--audit-full", "deny"]);
        let (tell, told) = mpsc::channel();
        let records = BufReader::new(server.take_stdout());
        let reader = thread::spawn(move || {
            for line in records.lines() {
                let record: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
                if record["decision"] == "GRANT" {
                    tell.send(record["porc"]["context"].as_str().unwrap().to_owned())
                        .unwrap();
                }
            }
        });
        let marked = |mark: &str| format!(r#"{{"operation":"shop:door:open","context":"{mark}"}}"#);
        let mut batches = ["first", "second"].map(|mark| {
            let body = batch(&format!("[{}]", vec![marked(mark); ELEMENTS].join(",")));
            let mut client = server.connect();
            client.send(&body[..body.len() - 1]);
            client
        });
        let mut beside = server.connect();
        // All that was sent is read, as far as that can be seen from here.
        assert_eq!(beside.post(&marked("before")), granted());
        // All three begin at the same time, whoever runs when.
        server.signal("STOP");
        batches.iter_mut().for_each(|client| client.send("]"));
        beside.send(post(&marked("beside")));
        server.signal("CONT");
        assert_eq!(beside.answer(), Some(granted()));
        let answered = batches.map(|mut client| {
            let answer: Vec<serde_json::Value> =
                serde_json::from_str(&client.answer().unwrap().body).unwrap();
            assert_eq!(answer.len(), ELEMENTS);
            answer.iter().filter(|one| one["allow"] == true).count()
        });
        // The process is told to end once all is written: it waits for a bounded time.
        let grants = 2 + answered.iter().sum::<usize>();
        let marks: Vec<String> = told.iter().take(grants).collect();
        let (status, _, log) = server.stop();
        assert_eq!(status.code(), Some(0), "{log:#?}");
        reader.join().unwrap();
        assert_eq!(told.iter().count(), 0);
        let count = |marks: &[String], mark: &str| marks.iter().filter(|one| *one == mark).count();
        // On a busy machine the audit thread may fall behind: what has no record was denied.
        assert_eq!(["first", "second"].map(|mark| count(&marks, mark)), answered);
        let at = marks.iter().position(|mark| mark == "beside").unwrap();
        for mark in ["first", "second"] {
            let before = count(&marks[..at], mark);
            assert!(before < ELEMENTS / 4, "{before} of the {mark} batch came first");
        }
    });
}
