//! `gavel serve` for Envoy: real processes, gRPC and HTTP over TCP and unix sockets, and what else comes in.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;
#[path = "common/grpc.rs"]
mod grpc;
#[path = "common/words.rs"]
mod words;

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::cli::Scratch;
use common::{Server, eventually, file, gavel};
use grpc::{CHECK, GrpcClient, HEALTH, field, request};
use tonic::Code;
use words::{Slow, words};

const MIB: usize = 1 << 20;

/// A server for `gate.yml` with these flags, on a free port; the second is the port of `--envoy-port 0`.
fn start(flags: &[&str]) -> (Server, Option<u16>) {
    let gate = file("gate.yml");
    let mut all = vec!["-b", gate.to_str().unwrap()];
    all.extend(flags);
    let mut server = Server::start("epoll", &all);
    let envoy = flags
        .contains(&"--envoy-port")
        .then(|| server.address_behind("serving Envoy gRPC on ").port());
    (server, envoy)
}

/// Decisions and reasons of the records on standard output.
fn records(output: &str) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    output
        .lines()
        .map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            (
                text(&record["decision"]),
                text(&record["references"][0]["reason"]),
            )
        })
        .collect()
}

fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn grpc_decides_beside_the_decision_api() {
    let (server, port) = start(&["--envoy-port", "0", "--threads", "2"]);
    let client = GrpcClient::tcp(port.unwrap());
    assert!(client.allows(request("open", b"/", b"")));
    assert!(!client.allows(request("shut", b"/", b"")));
    assert_eq!(server.connect().post(common::GRANTED), common::granted());
    let (status, output, _) = server.stop();
    assert!(status.success());
    let decisions: Vec<_> = records(&output)
        .into_iter()
        .map(|(decision, _)| decision)
        .collect();
    assert_eq!(
        decisions.iter().filter(|decision| *decision == "GRANT").count(),
        2
    );
    assert_eq!(decisions.len(), 3);
}

/// Under `deny` with a spool an answer has its record, also when the process is killed right behind it.
#[test]
fn answers_wait_for_their_records() {
    let spool = folder("envoy-spool");
    let flags = ["--audit-full", "deny", "--audit-spool", spool.to_str().unwrap()];
    let (server, port) = start(&[&["--envoy-port", "0"][..], &flags].concat());
    let client = GrpcClient::tcp(port.unwrap());
    for _ in 0..20 {
        assert!(client.allows(request("open", b"/", b"")));
    }
    assert!(!client.allows(b"\xff\xff".to_vec()));
    server.signal("KILL");
    let (status, output, log) = common::cli::run_words(&["audit", "cat", spool.to_str().unwrap()], "");
    assert_eq!(status, Some(0), "{log}");
    let decisions: Vec<String> = records(&output)
        .into_iter()
        .map(|(decision, _)| decision)
        .collect();
    assert_eq!(decisions.len(), 21);
    assert!(decisions[..20].iter().all(|decision| decision == "GRANT"));
}

#[test]
fn nothing_that_comes_in_is_let_through_by_mistake() {
    let (mut server, port) = start(&["--envoy-port", "0"]);
    let client = GrpcClient::tcp(port.unwrap());
    let cases: [(Vec<u8>, &str); 9] = [
        (vec![], "data.mapper.porc is undefined"),
        (field(1, b""), "data.mapper.porc is undefined"),
        (request("text", b"/", b""), "json: cannot unmarshal string"),
        (request("both", b"/", b""), "eval_conflict_error"),
        (request("open", b"/\xff", b""), "`path` is no UTF-8"),
        (request("open", b"/", b"\xff"), "`body` is no UTF-8"),
        (b"\xff\xff".to_vec(), "no protobuf message"),
        (request("open", b"/", &vec![b'x'; 10 * MIB]), "too large"),
        (request("open", b"/", &vec![b'x'; 8 * MIB]), ""),
    ];
    for (index, (request, reason)) in cases.iter().enumerate() {
        assert_eq!(
            client.allows(request.clone()),
            reason.is_empty(),
            "case {index}: {reason}"
        );
    }
    assert!(client.allows(request("open", b"/", b"")));
    server.wait_for("denied: ");
    let (_, output, _) = server.stop();
    let found = records(&output);
    assert_eq!(found.len(), cases.len() + 1);
    for (index, ((decision, why), (_, reason))) in found.iter().zip(&cases).enumerate() {
        assert_eq!(decision == "GRANT", reason.is_empty(), "case {index}");
        assert!(why.contains(reason), "case {index}: {why}");
    }
}

#[test]
fn health_and_what_is_not_served() {
    let (server, port) = start(&["--envoy-port", "0"]);
    let client = GrpcClient::tcp(port.unwrap());
    let serving = [8, 1].as_slice();
    assert_eq!(client.call(HEALTH, vec![]).unwrap(), serving);
    let service = field(1, b"envoy.service.auth.v3.Authorization");
    assert_eq!(client.call(HEALTH, service).unwrap(), serving);
    assert_eq!(client.fails(HEALTH, field(1, b"other")), Code::NotFound);
    assert_eq!(
        client.fails("/grpc.health.v1.Health/Watch", vec![]),
        Code::Unimplemented
    );
    assert_eq!(client.fails("/a.B/C", vec![]), Code::Unimplemented);
    server.stop();
}

#[test]
fn a_unix_socket_comes_and_goes_with_the_server() {
    let path = folder("envoy-socket").join("s");
    let flag = path.to_str().unwrap();
    // Left by a process that died.
    drop(UnixListener::bind(&path).unwrap());
    let (server, _) = start(&["--envoy-socket", flag]);
    assert!(GrpcClient::unix(&path).allows(request("open", b"/", b"")));
    let refused = gavel()
        .args(["serve", "-p", "envoy", "--envoy-socket", flag, "-b"])
        .arg(file("gate.yml"))
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("in use by another process"), "{text}");
    let (status, _, _) = server.stop();
    assert!(status.success());
    assert!(!path.exists());
}

#[test]
fn a_file_in_place_of_the_socket_stays() {
    let path = folder("envoy-no-socket").join("s");
    std::fs::write(&path, "mine").unwrap();
    let refused = gavel()
        .args(["serve", "-p", "envoy", "--envoy-socket"])
        .arg(&path)
        .arg("-b")
        .arg(file("gate.yml"))
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8(refused.stderr).unwrap().contains("no socket"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

/// One request over HTTP: status and whole answer.
fn ask(stream: &mut UnixStream, text: &[u8]) -> (u16, String) {
    stream.write_all(text).unwrap();
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).unwrap();
        answer.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert_ne!(read, 0, "cut: {text}");
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if read == 0 || body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return (head.split(' ').nth(1).unwrap().parse().unwrap(), text);
        }
    }
}

/// A process that does not outlive a failed test.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Both fail for a process that has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server for Envoy over HTTP on a unix socket.
fn over_http(socket: &Path, domain: &Path, flags: &[&str]) -> Killed {
    let mut command = gavel();
    command
        .args(["serve", "-p", "envoy-http", "--envoy-socket"])
        .arg(socket)
        .arg("-b")
        .arg(domain)
        .args(flags)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null());
    let child = Killed(command.spawn().unwrap());
    eventually(|| socket.exists());
    child
}

#[test]
fn http_decides_over_the_request_that_envoy_describes() {
    let path = folder("envoy-http").join("s");
    let mut child = over_http(&path, &file("gate.yml"), &["--envoy-path-prefix", "/authz/"]);
    let mut stream = UnixStream::connect(&path).unwrap();
    let open = b"GET /authz/a?b HTTP/1.1\r\nhost: shop\r\nx-word: open\r\n\r\n";
    let (status, text) = ask(&mut stream, open);
    assert_eq!(status, 200);
    assert!(text.contains("x-ext-authz-check-result: allowed\r\n"), "{text}");
    let shut = b"GET /authz/a HTTP/1.1\r\nhost: shop\r\nx-word: shut\r\n\r\n";
    let (status, text) = ask(&mut stream, shut);
    assert_eq!(status, 403);
    assert!(text.contains("x-ext-authz-check-result: denied\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\npermission denied"), "{text}");
    let body = b"POST /authz/a HTTP/1.1\r\nhost: shop\r\nx-word: open\r\ncontent-length: 5\r\n\r\nhello";
    assert_eq!(ask(&mut stream, body).0, 200);
    let odd = b"GET /authz/a HTTP/1.1\r\nhost: shop\r\nx-word: open\xff\r\n\r\n";
    assert_eq!(ask(&mut stream, odd).0, 403);
    let elsewhere = b"GET /a HTTP/1.1\r\nhost: shop\r\nx-word: open\r\n\r\n";
    assert_eq!(ask(&mut stream, elsewhere).0, 404);
    let large = format!(
        "POST /authz/a HTTP/1.1\r\nx-word: open\r\ncontent-length: {}\r\n\r\n",
        9 * MIB
    );
    let mut other = UnixStream::connect(&path).unwrap();
    assert_eq!(ask(&mut other, large.as_bytes()).0, 413);
    let status = std::process::Command::new("kill")
        .args(["-s", "TERM", &child.0.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    let mut output = String::new();
    child
        .0
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut output)
        .unwrap();
    assert!(child.0.wait().unwrap().success());
    let first: serde_json::Value = serde_json::from_str(output.lines().next().unwrap()).unwrap();
    assert_eq!(first["porc"]["context"]["path"], "/a?b");
    let third: serde_json::Value = serde_json::from_str(output.lines().nth(2).unwrap()).unwrap();
    assert_eq!(third["porc"]["context"]["body"], "hello");
    assert_eq!(output.lines().count(), 6);
}

/// Slow heads are cut 10 seconds after their first byte, the second one of a connection too; silence is not.
#[test]
fn heads_over_http_must_come_to_their_end() {
    let path = folder("envoy-heads").join("s");
    let _child = over_http(&path, &file("gate.yml"), &[]);
    let whole = b"GET /a HTTP/1.1\r\nhost: shop\r\nx-word: open\r\n\r\n";
    let connect = || UnixStream::connect(&path).unwrap();
    let (mut first, mut second, mut silent, mut asked) = (connect(), connect(), connect(), connect());
    for stream in [&mut second, &mut asked] {
        assert_eq!(ask(stream, whole).0, 200);
    }
    let begun = Instant::now();
    for stream in [&mut first, &mut second] {
        stream.write_all(&whole[..20]).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    }
    for stream in [&mut first, &mut second] {
        assert_eq!(stream.read(&mut [0; 100]).unwrap(), 0);
        assert!((10..40).contains(&begun.elapsed().as_secs()));
    }
    for stream in [&mut silent, &mut asked] {
        assert_eq!(ask(stream, whole).0, 200);
    }
}

/// To Envoy a 5xx is an authorizer that failed, which it may be told to let pass.
#[test]
fn overload_over_http_is_a_denial() {
    let path = folder("envoy-overload").join("s");
    let flags = ["--threads", "1", "--max-body-bytes", "1048576"];
    let _child = over_http(&path, &file("gate.yml"), &flags);
    let small = b"POST /a HTTP/1.1\r\nhost: a\r\nx-word: open\r\ncontent-length: 100\r\n\r\n";
    let small = [&small[..], &[b'x'; 100]].concat();
    assert_eq!(ask(&mut UnixStream::connect(&path).unwrap(), &small).0, 200);
    // All that one thread holds, less a byte for each.
    let head = format!("POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: {MIB}\r\n\r\n");
    let most = [head.as_bytes(), &vec![b'x'; MIB - 1]].concat();
    let held: Vec<UnixStream> = (0..32)
        .map(|_| {
            let mut stream = UnixStream::connect(&path).unwrap();
            stream.write_all(&most).unwrap();
            stream
        })
        .collect();
    eventually(|| match ask(&mut UnixStream::connect(&path).unwrap(), &small) {
        (200, _) => false,
        (status, text) => {
            assert_eq!(status, 403, "{text}");
            assert!(text.contains("x-ext-authz-check-result: denied\r\n"), "{text}");
            true
        }
    });
    drop(held);
}

#[test]
fn without_a_mapper_the_server_says_so_and_denies() {
    let (mut server, port) = start(&["--envoy-port", "0", "--name", "moon"]);
    assert!(server.saw("every request of Envoy is denied: domain 'moon' not found"));
    let client = GrpcClient::tcp(port.unwrap());
    assert!(!client.allows(request("open", b"/", b"")));
    let (_, output, _) = server.stop();
    assert!(records(&output)[0].1.contains("domain 'moon' not found"));
}

#[test]
fn a_drain_ends_connections_that_ask_for_nothing() {
    let (server, port) = start(&["--envoy-port", "0"]);
    let client = GrpcClient::tcp(port.unwrap());
    assert!(client.allows(request("open", b"/", b"")));
    let start = Instant::now();
    let (status, _, _) = server.stop();
    assert!(status.success());
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(client.fails(CHECK, vec![]), Code::Unknown);
}

/// A server for `asking.yml`, and its port for Envoy.
fn start_asking(flags: &[&str]) -> (Server, u16) {
    let asking = file("asking.yml");
    let mut all = vec!["-b", asking.to_str().unwrap(), "--envoy-port", "0"];
    all.extend(flags);
    let mut server = Server::start("epoll", &all);
    let port = server.address_behind("serving Envoy gRPC on ").port();
    (server, port)
}

#[test]
fn a_mapper_asks_allowed_hosts_and_holds_up_nobody() {
    let slow = Slow::default();
    let host = format!("127.0.0.1:{}", words(&slow));
    let (server, port) = start_asking(&["--allow-net", &host]);
    let client = GrpcClient::tcp(port);
    assert!(client.allows(request(&host, b"/open", b"")));
    assert!(!client.allows(request(&host, b"/shut", b"")));
    assert!(!client.allows(request("localhost:1", b"/open", b"")));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(GrpcClient::tcp(port).allows(request(&host, b"/slow", b""))));
        }
        eventually(|| slow.asked() == 8);
        assert_eq!(server.connect().post(common::GRANTED), common::granted());
        slow.answer();
    });
    let (_, output, _) = server.stop();
    let found = records(&output);
    assert_eq!(
        found.iter().filter(|(decision, _)| decision == "GRANT").count(),
        10
    );
    let why = "failed to evaluate mapper Rego: data.mapper.porc is undefined";
    assert!(found.contains(&("DENY".to_owned(), why.to_owned())), "{found:?}");
}

/// From the domain and from an image of it.
#[test]
fn a_mapper_asks_however_it_spells_the_call() {
    let text = std::fs::read_to_string(file("asking.yml")).unwrap();
    let spelled = text.replace("http.send(", "http[\"send\"](");
    assert_ne!(spelled, text);
    let domain = Scratch::new("spelled.yml", &spelled);
    let image = Scratch::new("spelled.image", "");
    let host = format!("127.0.0.1:{}", words(&Slow::default()));
    let leave = ["--allow-net", &host];
    let mut compile = gavel();
    compile.args(["compile", "-o", image.path(), "-b", domain.path()]);
    assert!(compile.args(leave).status().unwrap().success());
    for (name, file) in [("envoy-spelled", &domain), ("envoy-spelled-image", &image)] {
        let path = folder(name).join("s");
        let _child = over_http(&path, &file.0, &leave);
        let request = format!("GET /open HTTP/1.1\r\nhost: a\r\nx-word: {host}\r\n\r\n");
        let (status, text) = ask(&mut UnixStream::connect(&path).unwrap(), request.as_bytes());
        assert_eq!(status, 200, "{name}: {text}");
    }
}

#[test]
fn without_leave_a_mapper_that_asks_is_refused_by_name() {
    for verb in [
        vec!["serve", "-p", "envoy", "--port", "0"],
        vec!["serve", "--port", "0"],
        vec!["test", "mapper"],
        vec!["test", "decision"],
    ] {
        let mut command = gavel();
        command.args(verb).arg("-b").arg(file("asking.yml"));
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.contains("undefined function http.send") && text.contains("--allow-net HOST"),
            "{text}"
        );
    }
    // What runs no mapper takes the domain with the same word.
    let mut command = gavel();
    command
        .args(["test", "decision", "--allow-net", "a", "-b"])
        .arg(file("asking.yml"));
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("unexpected end of JSON input"), "{text}");
}

/// Whatever the configuration disallows, and whoever may be asked: a decision asks nobody.
#[test]
fn a_policy_never_asks() {
    let text = std::fs::read_to_string(file("asking.yml")).unwrap();
    let asks = r#"allow = 1 { http.send({"method": "get", "url": "http://a"}).status_code == 200 }"#;
    let domain = Scratch::new(
        "asks.yml",
        &text.replace("allow = 1 {", &format!("{asks}\n\n        allow = 1 {{")),
    );
    for disallowed in ["", "time.now_ns"] {
        let mut command = gavel();
        command
            .args(["serve", "-p", "envoy", "--port", "0", "--allow-net", "a", "-b"])
            .arg(&domain.0)
            .env("MPE_OPA_UNSAFEBUILTINS", disallowed);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.contains("http.send") && text.contains("policy mrn:iam:policy:word"),
            "{text}"
        );
        assert!(!text.contains("mapper asking"), "{text}");
    }
}
