//! `gavel-load` against a small server of our own that answers right, wrong, late, or says goodbye.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;

/// Serves on a free port until the test ends; `answer` gets the number of the request on its connection, counted from 1,
/// and says what goes back. A connection ends behind an answer that says `close`.
fn serve(answer: fn(u32) -> &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            // A connection that breaks is the client's business.
            std::thread::spawn(move || converse(stream, answer).ok());
        }
    });
    port
}

/// The same over TLS, with a certificate for this address, whose PEM comes with the port.
fn serve_secure(address: &str, answer: fn(u32) -> &'static str) -> (u16, String) {
    let own = rcgen::generate_simple_self_signed([address.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let stream = rustls::StreamOwned::new(session, stream.unwrap());
            std::thread::spawn(move || converse(stream, answer).ok());
        }
    });
    (port, own.cert.pem())
}

fn converse(stream: impl Read + Write, answer: fn(u32) -> &'static str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    for number in 1.. {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(text) = line.strip_prefix("Content-Length: ") {
                length = text.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        let text = answer(number);
        reader.get_mut().write_all(text.as_bytes())?;
        if text.contains("close") {
            return Ok(());
        }
    }
    Ok(())
}

fn load(port: u16, words: &[&str]) -> (Output, serde_json::Value) {
    load_at(&format!("http://127.0.0.1:{port}/x"), words)
}

fn load_at(url: &str, words: &[&str]) -> (Output, serde_json::Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_gavel-load"))
        .args(["--url", url, "--seconds", "0.3", "--json"])
        .args(words)
        .output()
        .unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output, json)
}

const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

#[test]
fn an_open_loop_sends_what_the_schedule_says() {
    let port = serve(|_| FINE);
    let (output, json) = load(port, &["--rate", "500", "--threads", "2", "--expect", "ok"]);
    assert_eq!(json["right"], 150, "{output:?}");
    assert_eq!(json["failed"], 0, "{json}");
    assert!(output.status.success());
}

/// A request a few milliseconds apart leaves when it is due: the timeout of the sleep is not rounded up.
#[test]
fn a_slow_schedule_is_kept_to_less_than_a_millisecond() {
    let port = serve(|_| FINE);
    let (_, json) = load(port, &["--rate", "300", "--connections", "1"]);
    let late_ns = json["lateness_ns"]["p50"].as_u64().unwrap();
    assert!(late_ns < 400_000, "{json}");
}

#[test]
fn over_tls_everything_is_the_same() {
    let (port, certificate) = serve_secure("127.0.0.1", |number| match number {
        5 => "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n",
        _ => FINE,
    });
    let file = std::env::temp_dir().join(format!("gavel-load-{}.pem", std::process::id()));
    std::fs::write(&file, certificate).unwrap();
    let (url, authority) = (format!("https://127.0.0.1:{port}/x"), file.to_str().unwrap());
    let words = ["--authority", authority, "--rate", "300", "--connections", "2"];
    let (output, json) = load_at(&url, &words);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(json["right"], 90, "{json}");
    assert!(json["reconnects"].as_u64().unwrap() >= 10, "{json}");
    let (output, _) = load_at(&format!("https://localhost:{port}/x"), &words);
    let problem = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && problem.contains("certificate"),
        "{problem}"
    );
    for (url, words, want) in [
        (url.as_str(), &["--closed"][..], "--authority says whom to trust"),
        (
            "http://127.0.0.1:9/x",
            &["--closed", "--authority", authority],
            "--authority is for https://",
        ),
    ] {
        let (output, _) = load_at(url, words);
        let problem = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(2) && problem.contains(want),
            "{problem}"
        );
    }
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_closed_loop_goes_on_as_answers_come() {
    let port = serve(|_| FINE);
    let (output, json) = load(port, &["--closed", "--connections", "2", "--pipeline", "3"]);
    assert!(output.status.success(), "{output:?}");
    assert!(json["right"].as_u64().unwrap() > 6, "{json}");
    assert!(json["latency_ns"]["p99.99"].as_u64().unwrap() > 0, "{json}");
}

#[test]
fn latency_counts_from_the_moment_a_request_was_due() {
    // One connection, 20 ms an answer, a request every 10 ms: the last one waits for about as long as the test takes.
    let port = serve(|_| {
        std::thread::sleep(Duration::from_millis(20));
        FINE
    });
    let (_, json) = load(port, &["--rate", "100", "--connections", "1"]);
    assert_eq!(json["right"], 30, "{json}");
    assert!(
        json["latency_ns"]["max"].as_u64().unwrap() > 250_000_000,
        "{json}"
    );
    assert!(json["rate"].as_f64().unwrap() < 60.0, "{json}");
}

#[test]
fn a_goodbye_is_honoured_and_loses_nothing() {
    let port = serve(|number| match number {
        3 => "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n",
        _ => FINE,
    });
    let (output, json) = load(port, &["--rate", "300", "--connections", "2", "--pipeline", "4"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(json["right"], 90, "{json}");
    assert!(json["reconnects"].as_u64().unwrap() >= 20, "{json}");
}

#[test]
fn wrong_answers_are_counted_by_kind() {
    let port = serve(|number| match number % 3 {
        1 => FINE,
        2 => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        _ => "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nok",
    });
    let (output, json) = load(port, &["--rate", "100", "--connections", "1"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(
        (&json["right"], &json["wrong"]),
        (&10.into(), &20.into()),
        "{json}"
    );
    assert_eq!(json["first_failure"], "request 0: 200 no", "{json}");

    let port = serve(|_| "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    let words = ["--rate", "10", "--timeout-ms", "50", "--expect", "ok"];
    let (output, json) = load(port, &words);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(json["late"], 3, "{json}");
}

#[test]
fn what_cannot_run_says_why() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let (output, _) = load(free, &["--closed"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("Connection refused"), "{said}");

    // Without a first request there is nobody to ask, and every request fails.
    let (output, json) = load(free, &["--rate", "100", "--any-body", "--timeout-ms", "100"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(json["unsent"], 30, "{json}");
}
