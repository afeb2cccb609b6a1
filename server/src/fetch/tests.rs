//! `http.send` against a server on loopback: the argument's JSON in, the result's JSON out.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gavel_runtime::builtins::FetchFailure;
use serde_json::{Value, json};

use super::wanted::go_duration_ns;
use super::{AllowList, Fetcher, Network};

/// A server that answers by path, and counts.
struct Upstream {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Upstream {
    fn start() -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let count = counted.fetch_add(1, Ordering::SeqCst) + 1;
                thread::spawn(move || answer(stream, count));
            }
        });
        Upstream { port, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A thread's fetcher that may ask this server.
    fn fetcher(&self) -> Fetcher {
        self.fetchers(1).pop().unwrap()
    }

    fn fetchers(&self, count: usize) -> Vec<Fetcher> {
        let allowed = format!("127.0.0.1:{}", self.port).parse().unwrap();
        let network = Arc::new(Network::new(AllowList(vec![allowed])));
        let fetcher = |_| {
            let mut fetcher = Fetcher::new(Arc::clone(&network));
            fetcher.begin(Duration::from_secs(20));
            fetcher
        };
        (0..count).map(fetcher).collect()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, count: usize) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
    let lower = head.to_ascii_lowercase();
    let field = |name: &str| {
        lower
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    let length = field("content-length:").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap_or_default());
    let json = "content-type: application/json; charset=utf-8\r\n";
    let (status, headers, text) = match path {
        "/json" => (
            "200 OK",
            json,
            format!("{{\"count\":{count},\"big\":12345678901234567890}}"),
        ),
        "/text" => ("200 OK", "x-a: 1\r\nX-A: 2\r\n", "{\"a\":1}".to_owned()),
        "/yaml" => ("200 OK", "content-type: application/yaml\r\n", "a: 1".to_owned()),
        "/bad" => ("200 OK", json, "{".to_owned()),
        "/echo" => (
            "200 OK",
            "",
            format!(
                "{method} {} {}",
                field("x-key:").unwrap_or("none"),
                String::from_utf8_lossy(&body)
            ),
        ),
        "/none" => ("404 Not Found", "", String::new()),
        "/moved" => ("302 Found", "location: /echo\r\n", String::new()),
        "/kept" => ("307 Temporary Redirect", "location: echo\r\n", String::new()),
        "/away" => ("302 Found", "location: http://localhost:1/\r\n", String::new()),
        "/loop" => ("302 Found", "location: /loop\r\n", String::new()),
        "/slow" => {
            thread::sleep(Duration::from_secs(5));
            ("200 OK", "", String::new())
        }
        "/large" => ("200 OK", "", "x".repeat(5 << 20)),
        "/tagged" if field("if-none-match:") == Some("\"t\"") => {
            ("304 Not Modified", "etag: \"t\"\r\n", String::new())
        }
        "/tagged" => ("200 OK", "etag: \"t\"\r\n", format!("made {count}")),
        "/private" => ("200 OK", "cache-control: no-store\r\n", format!("made {count}")),
        _ => ("500 Internal Server Error", "", String::new()),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
}

fn send(fetcher: &mut Fetcher, request: &Value) -> Value {
    let result = fetcher.send(request.to_string().as_bytes()).unwrap();
    serde_json::from_slice(&result).unwrap()
}

/// The text of a failure that is a result.
#[track_caller]
fn fails(fetcher: &mut Fetcher, mut request: Value, code: &str, text: &str) {
    assert_eq!(
        fetcher.send(request.to_string().as_bytes()),
        Err(FetchFailure::Error)
    );
    request["raise_error"] = json!(false);
    let result = send(fetcher, &request);
    assert_eq!(result["status_code"], 0);
    assert_eq!(result["error"]["code"], format!("eval_http_send_{code}_error"));
    let message = result["error"]["message"].as_str().unwrap();
    assert!(message.contains(text), "{message}");
}

#[test]
fn bodies_and_headers() {
    let upstream = Upstream::start();
    let fetcher = &mut upstream.fetcher();
    let found = send(fetcher, &json!({"method": "get", "url": upstream.url("/json")}));
    assert_eq!(
        (&found["status"], &found["status_code"]),
        (&json!("200 OK"), &json!(200))
    );
    assert_eq!(
        found["body"].to_string(),
        "{\"count\":1,\"big\":12345678901234567890}"
    );
    let found = send(fetcher, &json!({"method": "get", "url": upstream.url("/text")}));
    assert_eq!(
        (&found["body"], &found["raw_body"]),
        (&Value::Null, &json!("{\"a\":1}"))
    );
    assert_eq!(found["headers"]["x-a"], json!(["1", "2"]));
    let forced = json!({"method": "get", "url": upstream.url("/text"), "force_json_decode": true});
    assert_eq!(send(fetcher, &forced)["body"], json!({"a": 1}));
    assert_eq!(
        send(fetcher, &json!({"method": "get", "url": upstream.url("/bad")}))["body"],
        Value::Null
    );
    let post = json!({"method": "post", "url": upstream.url("/echo"), "headers": {"X-Key": "k"}, "body": {"a": [1]}});
    assert_eq!(send(fetcher, &post)["raw_body"], "POST k {\"a\":[1]}");
    let raw = json!({"method": "PUT", "url": upstream.url("/echo"), "body": 1, "raw_body": "raw"});
    assert_eq!(send(fetcher, &raw)["raw_body"], "PUT none raw");
    assert_eq!(
        send(fetcher, &json!({"method": "get", "url": upstream.url("/none")}))["status_code"],
        404
    );
}

#[test]
fn redirects_stay_with_the_allowed_hosts() {
    let upstream = Upstream::start();
    let fetcher = &mut upstream.fetcher();
    let mut request = json!({"method": "post", "url": upstream.url("/moved"), "raw_body": "b"});
    assert_eq!(send(fetcher, &request)["status_code"], 302);
    request["enable_redirect"] = json!(true);
    assert_eq!(send(fetcher, &request)["raw_body"], "GET none ");
    request["url"] = json!(upstream.url("/kept"));
    assert_eq!(send(fetcher, &request)["raw_body"], "POST none b");
    request["url"] = json!(upstream.url("/away"));
    fails(
        fetcher,
        request.clone(),
        "internal",
        "disallowed host: localhost:1",
    );
    request["url"] = json!(upstream.url("/loop"));
    fails(fetcher, request, "network", "stopped after 10 redirects");
    let elsewhere = json!({"method": "get", "url": "http://localhost/"});
    fails(fetcher, elsewhere, "internal", "disallowed host: localhost:80");
}

#[test]
fn what_fails() {
    let upstream = Upstream::start();
    let fetcher = &mut upstream.fetcher();
    let start = Instant::now();
    let slow = json!({"method": "get", "url": upstream.url("/slow"), "timeout": "200ms"});
    fails(fetcher, slow, "network", "request timed out");
    assert!(start.elapsed() < Duration::from_secs(4));
    fails(
        fetcher,
        json!({"method": "get", "url": upstream.url("/large")}),
        "network",
        "limit",
    );
    fails(
        fetcher,
        json!({"url": upstream.url("/")}),
        "internal",
        "missing required request parameters(s)",
    );
    fails(
        fetcher,
        json!({"method": "get", "url": "unix://a?socket=b"}),
        "internal",
        "unsupported protocol scheme",
    );
    fails(
        fetcher,
        json!({"method": "get", "url": "http://u:p@127.0.0.1/"}),
        "internal",
        "a user in the URL",
    );
    fails(
        fetcher,
        json!({"method": "get", "url": upstream.url("/"), "colour": 1}),
        "internal",
        "invalid request parameters(s)",
    );
    fails(
        fetcher,
        json!({"method": "get", "url": upstream.url("/"), "timeout": "1 hour"}),
        "internal",
        "invalid timeout value",
    );
    fails(
        fetcher,
        json!({"method": 1, "url": upstream.url("/")}),
        "internal",
        "\"method\" must be a string",
    );
    fails(
        fetcher,
        json!({"method": "get", "url": upstream.url("/"), "force_cache": true}),
        "internal",
        "is missing",
    );
}

#[test]
fn what_is_not_carried_out_ends_the_evaluation() {
    let upstream = Upstream::start();
    for (name, value) in [
        ("tls_ca_cert_file", json!("/a")),
        ("tls_insecure_skip_verify", json!(true)),
        ("force_yaml_decode", json!(true)),
    ] {
        let fetcher = &mut upstream.fetcher();
        let request = json!({"method": "get", "url": upstream.url("/"), "raise_error": false, name: value});
        assert_eq!(
            fetcher.send(request.to_string().as_bytes()),
            Err(FetchFailure::Refused)
        );
        assert!(fetcher.take_refusal().unwrap().contains(name));
    }
    let fetcher = &mut upstream.fetcher();
    let yaml = json!({"method": "get", "url": upstream.url("/yaml")});
    assert_eq!(
        fetcher.send(yaml.to_string().as_bytes()),
        Err(FetchFailure::Refused)
    );
    let fine = json!({"method": "get", "url": upstream.url("/text"), "tls_use_system_certs": true, "tls_insecure_skip_verify": false});
    assert_eq!(send(fetcher, &fine)["status_code"], 200);
}

#[test]
fn answers_are_kept_as_long_as_they_may_be() {
    let upstream = Upstream::start();
    let fetchers = &mut upstream.fetchers(2);
    let mut ask = |from: usize, path: &str, more: Value, wanted: usize| {
        let mut request = json!({"method": "get", "url": upstream.url(path)});
        request
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let found = send(&mut fetchers[from], &request);
        assert_eq!(upstream.asked(), wanted, "{request}");
        fetchers[from].begin(Duration::from_secs(20));
        found["raw_body"].as_str().unwrap_or_default().to_owned()
    };
    // Without a word about it an answer is for one evaluation.
    ask(0, "/json", json!({}), 1);
    ask(0, "/json", json!({}), 2);
    let forced = json!({"force_cache": true, "force_cache_duration_seconds": 60});
    ask(0, "/private", forced.clone(), 3);
    assert_eq!(ask(1, "/private", forced, 3), "made 3");
    let by_headers = json!({"cache": true});
    ask(0, "/private", by_headers.clone(), 4);
    ask(0, "/private", by_headers.clone(), 5);
    // Stale at once, but it has a tag: the server says that it is still good.
    ask(0, "/tagged", by_headers.clone(), 6);
    assert_eq!(ask(1, "/tagged", by_headers, 7), "made 6");
    let ignored = |key: &str| json!({"force_cache": true, "force_cache_duration_seconds": 60, "headers": {"x-key": key, "y": "1"}, "cache_ignored_headers": ["x-key"]});
    ask(0, "/echo", ignored("1"), 8);
    ask(1, "/echo", ignored("2"), 8);
    let request = json!({"method": "get", "url": upstream.url("/json")});
    let first = send(&mut fetchers[0], &request);
    assert_eq!(send(&mut fetchers[0], &request), first);
    assert_eq!(upstream.asked(), 9);
}

#[test]
fn durations_are_gos() {
    let cases = [
        ("1h2m3s", Some(3_723_000_000_000)),
        ("1.5s", Some(1_500_000_000)),
        ("300ms", Some(300_000_000)),
        ("-1s", Some(-1_000_000_000)),
        ("2µs", Some(2000)),
        ("", None),
        ("1", None),
        ("s", None),
        ("1 s", None),
        ("1d", None),
    ];
    for (text, ns) in cases {
        assert_eq!(go_duration_ns(text), ns, "{text}");
    }
}
