//! The admin port of a real server: probes, metrics, status, reloads, and who is let in.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::cli::Scratch;
use common::{DENIED, GRANTED, Server, eventually, file, gavel, granted, post};
use serde_json::Value;

/// A server with an admin port on any free one, and where that is.
fn start(flags: &[&str]) -> (Server, SocketAddr) {
    start_on("127.0.0.1:0", flags)
}

fn start_on(admin: &str, flags: &[&str]) -> (Server, SocketAddr) {
    let mut all = vec!["--admin", admin];
    all.extend(flags);
    let mut server = Server::start("epoll", &all);
    let address = server.address_behind("admin on ");
    (server, address)
}

/// Status, head and body of an answer to a request with these header lines more.
fn ask(at: SocketAddr, request: &str, headers: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", at.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let host = if headers.contains("Host:") {
        ""
    } else {
        "Host: localhost\r\n"
    };
    let text = format!("{request} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n");
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
}

fn status(at: SocketAddr, request: &str) -> u16 {
    ask(at, request, "").0
}

fn json(at: SocketAddr, request: &str) -> Value {
    serde_json::from_str(&ask(at, request, "").2).unwrap()
}

/// Samples by name and labels.
fn samples(at: SocketAddr) -> BTreeMap<String, f64> {
    let (status, head, text) = ask(at, "GET /metrics", "");
    assert_eq!(status, 200);
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[test]
fn probes_status_and_metrics_say_what_happened() {
    let large = (32 << 20).to_string();
    let flags = [
        "--threads",
        "2",
        "--revision",
        "spring",
        "--max-body-bytes",
        &large,
    ];
    let (server, at) = start(&flags);
    for probe in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(status(at, &format!("GET {probe}")), 200, "{probe}");
        assert_eq!(status(at, &format!("HEAD {probe}")), 200, "{probe}");
        assert_eq!(status(at, &format!("POST {probe}")), 405, "{probe}");
    }
    assert_eq!((status(at, "GET /none"), status(at, "GET /reload")), (404, 405));
    let mut client = server.connect();
    for _ in 0..3 {
        client.post(GRANTED);
        client.post(DENIED);
    }
    client.send(post("[]"));
    assert_eq!(client.answer().unwrap().status, 400);
    let found = samples(at);
    let value = |name: &str| *found.get(name).unwrap_or_else(|| panic!("{name}: {found:#?}"));
    assert_eq!(
        value("gavel_decisions_total{decision=\"grant\",reason=\"grant_override\"}"),
        3.0
    );
    assert_eq!(
        value("gavel_decisions_total{decision=\"deny\",reason=\"not_found\"}"),
        3.0
    );
    assert_eq!(
        value("gavel_decisions_total{decision=\"none\",reason=\"malformed\"}"),
        1.0
    );
    assert_eq!(value("gavel_decision_duration_seconds_count"), 6.0);
    assert_eq!(value("gavel_decision_duration_seconds_bucket{le=\"+Inf\"}"), 6.0);
    assert_eq!(
        value("gavel_phase_duration_seconds_count{phase=\"operation\"}"),
        6.0
    );
    assert_eq!(value("gavel_connections_total"), 1.0);
    assert_eq!(value("gavel_policy_revision"), 1.0);
    assert_eq!(value("gavel_ready"), 1.0);
    assert_eq!(value("gavel_threads{serves=\"decisions\"}"), 2.0);
    assert!(value("process_resident_memory_bytes") > 1e6 && value("process_open_fds") > 3.0);
    let status = json(at, "GET /status");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["stage"], "ready");
    assert_eq!(status["driver"]["name"], "epoll");
    assert_eq!(status["policies"]["domains"], serde_json::json!(["shop"]));
    assert_eq!(status["policies"]["label"], "spring");
    assert_eq!(status["policies"]["digest"].as_str().unwrap().len(), 64);
    assert_eq!(status["decisions"]["malformed"], 1);
    assert_eq!(status["reload"]["last"]["cause"], "start");
    assert_eq!(status["limits"]["inputBytesPerThread"], 128 << 20);
    assert_eq!(status["limits"]["bodyBytes"], 32 << 20);
    assert_eq!(status["limits"]["bodySeconds"], 10 + 256);
    assert_eq!(status["limits"]["auditRingBytes"], 64 << 20);
    assert_eq!(status["limits"]["decisionMemoryBytes"], 64 << 20);
    let info = format!(
        "gavel_policy_info{{digest={},label=\"spring\"}}",
        status["policies"]["digest"]
    );
    assert_eq!(value(&info), 1.0);
    server.stop();
}

/// Open connections by what carries them, which are fewer once they close.
#[test]
fn resources_are_listed_by_their_selectors() {
    let flags = ["--admin", "127.0.0.1:0"];
    let mut server = Server::start_on(&file("records.yml"), "epoll", &flags, |_| {});
    let at = server.address_behind("admin on ");
    let found = json(at, "GET /loaded.json?kind=resources&find=cord-2");
    let second = serde_json::json!([{
        "selectors": ["^record-2$"],
        "group": "mrn:iam:resource-group:records",
        "policy": "mrn:iam:policy:records",
    }]);
    assert_eq!(found["entries"], second);
    server.stop();
}

#[test]
fn open_connections_are_counted() {
    let place = std::env::temp_dir().join(format!("gavel-open-{}.sock", std::process::id()));
    let socket = format!("unix:{}", place.display());
    let (server, at) = start(&["--threads", "2", "--listen", &socket, "--envoy-port", "0"]);
    let open = |serves: &str, carrier: &str| {
        let found = samples(at);
        let name = format!("gavel_connections_open{{serves=\"{serves}\",carrier=\"{carrier}\"}}");
        *found.get(&name).unwrap_or_else(|| panic!("{name}: {found:#?}"))
    };
    let clients: Vec<_> = (0..5).map(|_| server.connect()).collect();
    let local = std::os::unix::net::UnixStream::connect(&place).unwrap();
    eventually(|| open("decisions", "tcp") == 5.0 && open("decisions", "unix") == 1.0);
    assert_eq!((open("decisions", "tls"), open("envoy", "tcp")), (0.0, 0.0));
    // The one that asks.
    assert_eq!(open("admin", "tcp"), 1.0);
    let counts = &json(at, "GET /status")["connections"];
    assert_eq!(
        counts["decisions"],
        serde_json::json!({"tcp": 5, "tls": 0, "unix": 1})
    );
    assert_eq!(counts["admin"]["tcp"], 1);
    drop(local);
    drop(clients);
    eventually(|| open("decisions", "tcp") + open("decisions", "unix") == 0.0);
    server.stop();
}

fn scratch(name: &str) -> Scratch {
    Scratch::new(name, &std::fs::read_to_string(file("shop.yml")).unwrap())
}

#[test]
fn a_reload_is_asked_for_and_waited_for() {
    let bundle = scratch("admin-reload.yml");
    let flags = ["--admin", "0", "--revision", "one"];
    let mut server = Server::start_on(&bundle.0, "epoll", &flags, |_| {});
    let at = server.address_behind("admin on ");
    assert_eq!(json(at, "POST /reload")["result"], "unchanged");
    let text = std::fs::read_to_string(&bundle.0).unwrap();
    std::fs::write(&bundle.0, text.replace("door:open", "door:close")).unwrap();
    let report = json(at, "POST /reload?revision=second%20try");
    assert_eq!(
        (&report["result"], &report["revision"]),
        (&"loaded".into(), &2.into()),
        "{report}"
    );
    assert_eq!(server.connect().post(GRANTED), common::denied());
    assert_eq!(json(at, "GET /status")["policies"]["label"], "second try");
    std::fs::write(&bundle.0, text.replace("package authz", "package authz.{")).unwrap();
    let (status, _, body) = ask(at, "POST /reload", "");
    assert_eq!(status, 422);
    let report: Value = serde_json::from_str(&body).unwrap();
    assert!(
        report["error"].as_str().unwrap().contains("admin-reload.yml"),
        "{report}"
    );
    assert_eq!(
        json(at, "GET /status")["reload"]["last"]["error"],
        report["error"]
    );
    assert_eq!(ask(at, "GET /readyz", "").0, 200);
    let found = samples(at);
    assert_eq!(found["gavel_policy_reloads_total{result=\"failed\"}"], 1.0);
    assert_eq!(found["gavel_policy_reloads_total{result=\"loaded\"}"], 2.0);
    assert_eq!(found["gavel_policy_last_reload_successful"], 0.0);
    std::fs::write(&bundle.0, &text).unwrap();
    assert_eq!(json(at, "POST /reload?revision=three")["revision"], 3);
    assert_eq!(server.connect().post(GRANTED), granted());
    for wrong in ["?label=x", "?revision=", "?revision=%zz", "?revision=a%0Ab"] {
        assert_eq!(ask(at, &format!("POST /reload{wrong}"), "").0, 400, "{wrong}");
    }
    server.stop();
}

#[test]
fn others_need_a_token() {
    let mut command = gavel();
    command
        .args(["serve", "--port", "0", "--admin", "0.0.0.0:0", "-b"])
        .arg(file("shop.yml"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("--admin-token-file"), "{text}");
    let token = Scratch::new("admin-token", "a-secret-of-many-letters\n");
    let (server, at) = start_on("0.0.0.0:0", &["--admin-token-file", token.path()]);
    let shown = "Authorization: Bearer a-secret-of-many-letters\r\nHost: pod.example\r\n";
    let other = "Authorization: Bearer a-secret-of-many-lettert\r\n";
    assert_eq!(ask(at, "GET /readyz", "").0, 200);
    for path in ["GET /metrics", "GET /status", "POST /reload", "GET /nowhere"] {
        for headers in ["", other] {
            let (status, head, _) = ask(at, path, headers);
            assert_eq!(status, 401, "{path}");
            assert!(head.contains("www-authenticate: bearer"), "{head}");
        }
    }
    assert_eq!(ask(at, "GET /metrics", shown).0, 200);
    assert_eq!(ask(at, "POST /reload", shown).0, 200);
    std::fs::write(&token.0, "another-secret-of-letters\n").unwrap();
    assert_eq!(ask(at, "GET /metrics", shown).0, 401);
    // Without a token nobody is let in, which is told once for each reason, and so is its end.
    let few = "a token has at least 16 characters: nobody is let in";
    let steps = [
        (Some(""), 401, few),
        (None, 401, "no such file or directory: nobody is let in"),
        (Some("a-secret-of-many-letters"), 200, "is let in again"),
    ];
    for (content, status, _) in steps {
        match content {
            Some(text) => std::fs::write(&token.0, text).unwrap(),
            None => std::fs::remove_file(&token.0).unwrap(),
        }
        for _ in 0..3 {
            assert_eq!(ask(at, "GET /metrics", shown).0, status);
        }
    }
    let (_, _, log) = server.stop();
    let said: Vec<&String> = log
        .iter()
        .filter(|line| line.contains("--admin-token-file "))
        .collect();
    assert_eq!(said.len(), steps.len(), "{said:#?}");
    for (line, (_, _, want)) in said.into_iter().zip(steps) {
        assert!(line.contains(want) && line.contains(token.path()), "{line}");
    }
    assert!(log.iter().any(|line| line.contains("with the token")), "{log:#?}");
}

#[test]
fn pages_of_other_sites_are_kept_out() {
    let (server, at) = start(&[]);
    assert_eq!(ask(at, "GET /status", "Host: evil.example\r\n").0, 403);
    assert_eq!(ask(at, "POST /reload", "Origin: https://evil.example\r\n").0, 403);
    assert_eq!(ask(at, "POST /reload", "").0, 200);
    server.stop();
}

/// The process says that it ends before it lets anybody notice.
#[test]
fn a_drain_begins_with_not_being_ready() {
    // Long enough for all that is asked meanwhile.
    let (mut server, at) = start(&["--drain-delay", "5"]);
    let mut client = server.connect();
    assert_eq!(client.post(GRANTED), granted());
    let start = Instant::now();
    server.signal("TERM");
    eventually(|| ask(at, "GET /readyz", "").0 == 503);
    assert_eq!(
        (status(at, "GET /livez"), status(at, "GET /startupz")),
        (200, 200)
    );
    assert_eq!(status(at, "POST /reload"), 503);
    client.send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().unwrap().status, 503);
    // Who is connected is served on, and so is who comes now.
    assert_eq!(client.post(GRANTED), granted());
    assert_eq!(server.connect().post(GRANTED), granted());
    server.wait_for("shutting down");
    client.expect_closed();
    assert!(start.elapsed() >= Duration::from_secs(5));
    let (status, output, _) = server.wait();
    assert_eq!(status.code(), Some(0));
    assert_eq!(output.lines().count(), 3);
}

#[test]
fn an_admin_port_in_use_is_an_operator_error() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let mut command = gavel();
    command
        .args(["serve", "--port", "0", "--admin", &taken, "-b"])
        .arg(file("shop.yml"));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(1) && text.contains("in use"),
        "{text}"
    );
}

#[test]
fn promtool_finds_nothing_to_say() {
    let (server, at) = start(&[]);
    server.connect().post(GRANTED);
    let text = ask(at, "GET /metrics", "").2;
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("promtool is not installed: metrics are not linted");
        return;
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
    server.stop();
}

/// The table of metrics in the documentation is that of the code.
#[test]
fn the_documentation_lists_every_metric() {
    let spool = common::cli::Folder::new("admin-spool", &[("empty", "")]);
    let (server, at) = start(&["--audit-spool", spool.0.to_str().unwrap()]);
    let text = ask(at, "GET /metrics", "").2;
    let mut want: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            want.push(format!("| `{name}` | KIND | {help} |"));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let kind = rest.split(' ').nth(1).unwrap();
            let last = want.last_mut().unwrap();
            *last = last.replace("KIND", kind);
        }
    }
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let found: Vec<&str> = docs
        .lines()
        .filter(|line| line.starts_with("| `gavel_") || line.starts_with("| `process_"))
        .collect();
    assert_eq!(
        found.join("\n"),
        want.join("\n"),
        "docs/operating.md should have:\n{}",
        want.join("\n")
    );
    server.stop();
}

/// Connections that ask for nothing take all seats of the port: a probe is answered all the same, and who asked before stays longest.
#[test]
fn who_asks_for_nothing_keeps_no_probe_out() {
    let (server, at) = start(&[]);
    let mut scraper = TcpStream::connect(at).unwrap();
    let request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut answer = [0; 1024];
    scraper.write_all(request).unwrap();
    assert!(scraper.read(&mut answer).unwrap() > 0);
    let idle: Vec<TcpStream> = (0..gavel_server::limits::ADMIN_CONNECTIONS_MAX + 10)
        .map(|at_once| {
            let mut stream = TcpStream::connect(at).unwrap();
            // Some send half of a head.
            let half = if at_once % 2 == 0 { &b"GET /li"[..] } else { b"" };
            stream.write_all(half).unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    for _ in 0..3 {
        assert_eq!(status(at, "GET /livez"), 200);
    }
    // Nobody's time was over before.
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(gavel_server::limits::IDLE_SECONDS),
        "{took:?}"
    );
    scraper.write_all(request).unwrap();
    assert!(scraper.read(&mut answer).unwrap() > 0);
    drop(idle);
    server.stop();
}
