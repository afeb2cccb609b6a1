//! The data API of OPA: the answers of OPA to the same requests, whose document a path asks for, what is not served.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

#[path = "opa_api/batch.rs"]
mod batch;
mod common;

use common::cli::Folder;
use common::{Server, file, on_each_driver};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::path::Path;

fn start(bundle: &Path, driver: &str, flags: &[&str]) -> Server {
    let own = [
        "--opa",
        "--opa-default-decision",
        "authz/allow",
        "--v1-compatible",
    ];
    let flags = [&own, flags].concat();
    Server::start_on(bundle, driver, &flags, |_| {})
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Head and body of the answer to a request with these header lines.
fn ask_with(server: &Server, request: &str, lines: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut client = server.connect();
    let length = body.len();
    client.send(format!(
        "{request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}Content-Length: {length}\r\n\r\n"
    ));
    client.send(body);
    let mut answer = Vec::new();
    client.stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|at| at == b"\r\n\r\n").unwrap() + 4;
    let body = answer.split_off(end);
    (String::from_utf8(answer).unwrap(), body)
}

/// As [`ask`], with a body that is packed; `None` where the answer is not.
fn ask_packed(server: &Server, request: &str, body: &str) -> (u16, bool, String) {
    let mut lines = "Accept-Encoding: gzip\r\n".to_owned();
    let mut sent = Vec::new();
    if !body.is_empty() {
        lines.push_str("Content-Encoding: gzip\r\n");
        sent = packed(body.as_bytes());
    }
    let (head, body) = ask_with(server, request, &lines, &sent);
    let is_packed = head.contains("\r\nContent-Encoding: gzip\r\n");
    let mut text = String::new();
    if is_packed {
        GzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(body).unwrap();
    }
    (head[9..12].parse().unwrap(), is_packed, text)
}

/// Status and body of the answer to a line of method, target and body.
fn ask(server: &Server, line: &str) -> (u16, String) {
    let mut words = line.splitn(3, ' ');
    let (method, target, body) = (words.next().unwrap(), words.next().unwrap(), words.next());
    let body = body.unwrap_or_default();
    if let Some(method) = method.strip_suffix(":gzip") {
        let (status, is_packed, text) = ask_packed(server, &format!("{method} {target}"), body);
        let text = if is_packed { format!("gzip {text}") } else { text };
        return (status, text);
    }
    let mut client = server.connect();
    client.send(format!(
        "{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    if method == "HEAD" {
        // The length that is announced is that of a body which does not come.
        let mut head = [0; 12];
        client.stream.read_exact(&mut head).unwrap();
        let status = String::from_utf8_lossy(&head[9..]).into_owned();
        return (status.parse().unwrap(), String::new());
    }
    let answer = client.answer().unwrap();
    (answer.status, answer.body)
}

/// What of an answer counts: see `conformance/opa_api/goldens.py`.
fn essential((status, body): (u16, String)) -> String {
    let body = body.trim();
    if let Some(body) = body.strip_prefix("gzip ") {
        let text = essential((status, body.to_owned()));
        return text.replacen(' ', " gzip ", 1);
    }
    if status == 405 {
        return "405".to_owned();
    }
    if !body.contains('\n') && !body.contains("\"metrics\":") && !body.contains("\"provenance\":") {
        return format!("{status} {body}").trim_end().to_owned();
    }
    let mut document: Value = serde_json::from_str(body).unwrap();
    if let Some(object) = document.as_object_mut() {
        if object.contains_key("code") {
            let message = object["message"].as_str().unwrap();
            let (before, _) = message.split_once("document: ").unwrap_or((message, ""));
            let broken = message.contains("malformed input document: ");
            let before = if broken {
                format!("{before}document")
            } else {
                message.to_owned()
            };
            object["message"] = before.into();
        }
        for error in object
            .get_mut("errors")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let error = error.as_object_mut().unwrap();
            error.retain(|name, _| name == "code");
        }
        for name in ["metrics", "provenance"] {
            if let Some(value) = object.get_mut(name) {
                *value = serde_json::json!({});
            }
        }
    }
    document.sort_all_objects();
    format!("{status} {document}")
}

#[test]
fn answers_are_those_of_opa() {
    on_each_driver(|driver| {
        let server = start(&file("opa/domain.yml"), driver, &[]);
        let text = std::fs::read_to_string(file("opa/requests.txt")).unwrap();
        let mut lines = text.lines();
        let mut wrong = Vec::new();
        while let Some(line) = lines.next() {
            let Some(request) = line.strip_prefix("> ") else {
                continue;
            };
            let want = lines.next().unwrap().strip_prefix("< ").unwrap();
            let got = essential(ask(&server, request));
            if got != want {
                wrong.push(format!("> {request}\n< {want}\n= {got}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let (status, records, _) = server.stop();
        assert_eq!((status.code(), records.as_str()), (Some(0), ""));
    });
}

#[track_caller]
fn check(server: &Server, request: &str, status: u16, part: &str) {
    let (got, body) = ask(server, request);
    assert_eq!(got, status, "{request}: {body}");
    assert!(body.contains(part), "{request}: {body}");
}

#[test]
fn a_path_of_several_policies_needs_a_name() {
    let other = file("opa/other.yml");
    let flags = ["-b", other.to_str().unwrap()];
    let server = start(&file("opa/domain.yml"), "epoll", &flags);
    let unclear = "several policies have data.authz.allow; choose one with ?policy=: opa/mrn:policy:gate, other/mrn:policy:wall";
    check(&server, "POST /v1/data/authz/allow {}", 400, unclear);
    check(
        &server,
        "POST /v0/data/authz {}",
        400,
        "\"code\": \"invalid_parameter\"",
    );
    check(
        &server,
        "GET /v1/data/authz/allow?policy=mrn:policy:wall",
        200,
        "{\"result\":true}",
    );
    check(
        &server,
        "GET /v1/data/authz/allow?policy=opa/mrn%3Apolicy%3Agate",
        200,
        "{\"result\":false}",
    );
    check(
        &server,
        "GET /v1/data/authz/allow?policy=mrn:policy:none",
        400,
        "policy: there is no mrn:policy:none",
    );
    check(
        &server,
        "GET /v1/data/authz/allow?policy=a&policy=b",
        400,
        "policy: given more than once",
    );
    check(&server, "GET /v1/data/authz/only_here", 200, "{\"result\":1}");
    check(
        &server,
        "GET /v1/data/authz/helper",
        500,
        "function data.authz.helper used as reference",
    );
    check(
        &server,
        "GET /v1/data/authz/table/0",
        200,
        "{\"result\":{\"a\":1}}",
    );
    check(
        &server,
        "GET /v1/data/sheds?input=%7B%22key%22:7%7D",
        200,
        "{\"result\":{\"garden\":{\"allow\":true}}}",
    );
    check(&server, "GET /v1/data/names/owner", 200, "{\"result\":\"alice\"}");
    check(
        &server,
        "GET /v1/data/names/owner?policy=mrn:policy:gate",
        200,
        "{\"result\":\"alice\"}",
    );
    check(
        &server,
        "GET /v1/data/names/owner?policy=mrn:policy:wall",
        200,
        "{}",
    );
    check(&server, "GET /v1/data/authz/allow/", 400, unclear);
    server.stop();
}

#[test]
fn what_is_not_served_is_said() {
    let server = start(&file("opa/domain.yml"), "epoll", &[]);
    for request in [
        "PUT /v1/data/a {}",
        "PATCH /v1/data []",
        "DELETE /v1/data/a",
        "GET /v1/policies",
        "PUT /v1/policies/a package",
        "POST /v1/query {}",
        "GET /v1/query?q=x",
        "POST /v1/compile {}",
    ] {
        check(&server, request, 501, "compiled ahead of time");
    }
    check(&server, "GET /v1/data/authz/allow?explain=full", 400, "explain: ");
    check(
        &server,
        "GET /v1/data/authz/allow?strict-builtin-errors",
        400,
        "strict-builtin-errors: not supported",
    );
    check(&server, "GET /v1/data/%ff", 400, "invalid path");
    // Type errors of OPA's queries are undefined here.
    check(&server, "GET /v1/data/names/owner/x", 200, "{}");
    check(&server, "GET /health?bundles", 200, "ok");
    check(&server, "GET /v1/status/policies", 404, "Not Found");
    let mut client = server.connect();
    client.send("POST /v1/data/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-yaml\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(client.answer().unwrap().status, 415);
    client.send(
        "POST /v1/data/authz/allow HTTP/1.1\r\nHost: a\r\nX-Request-ID: 7\r\nContent-Length: 2\r\n\r\n{}",
    );
    let (head, answer) = client.answer_with_head().unwrap();
    assert!(
        answer.status == 200 && head.contains("\r\nX-Request-ID: 7\r\n"),
        "{head}"
    );
    server.stop();
    // Without the flag the paths are not there.
    let server = Server::start_on(&file("opa/domain.yml"), "epoll", &["--v1-compatible"], |_| {});
    check(&server, "POST /v1/data/authz/allow {}", 404, "Not Found");
    check(&server, "PUT /v1/policies/a x", 404, "Not Found");
    check(&server, "POST / {}", 404, "Not Found");
    check(&server, "GET /v1/config", 404, "Not Found");
    server.stop();
}

#[track_caller]
fn json_of(server: &Server, request: &str, status: u16) -> Value {
    let (got, body) = ask(server, request);
    assert_eq!(got, status, "{request}: {body}");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn bodies_are_unpacked_up_to_their_bound() {
    let server = start(&file("opa/domain.yml"), "epoll", &["--max-body-bytes", "100000"]);
    let packed_as = |body: &[u8], encoding: &str| {
        let lines = format!("Content-Encoding: {encoding}\r\n");
        let (head, body) = ask_with(&server, "POST /v1/data/authz/allow", &lines, body);
        let status: u16 = head[9..12].parse().unwrap();
        (status, String::from_utf8(body).unwrap())
    };
    let of_bytes = |count: usize| {
        let input = "a".repeat(count - "{\"input\":\"\"}".len());
        format!("{{\"input\":\"{input}\"}}")
    };
    let fitting = packed(of_bytes(100_000).as_bytes());
    assert_eq!(packed_as(&fitting, "gzip").0, 200);
    let large = packed(of_bytes(100_001).as_bytes());
    let (status, text) = packed_as(&large, "gzip");
    assert!(
        status == 413 && text.contains("more than 100000 bytes once it is unpacked"),
        "{text}"
    );
    // Half a gigabyte in the body of a few hundred kilobytes at most.
    let mut bomb = packed(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);
    bomb.extend(bomb.clone());
    assert_eq!(packed_as(bomb.get(..99_000).unwrap_or(&bomb), "gzip").0, 413);
    for (body, encoding) in [
        (b"{}".as_slice(), "gzip"),
        (large.get(..50).unwrap(), "gzip"),
        (&fitting, "br"),
        (&fitting, ""),
    ] {
        let (status, text) = packed_as(body, encoding);
        assert!(
            status == 400 && text.contains("invalid_parameter"),
            "{encoding}: {text}"
        );
    }
    // The decision API minds no encoding, as ever.
    let (head, _) = ask_with(
        &server,
        "POST /decision",
        "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
        common::GRANTED.as_bytes(),
    );
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    server.stop();
}

#[test]
fn a_default_decision_may_name_its_policy() {
    let other = file("opa/other.yml");
    let flags = ["-b", other.to_str().unwrap()];
    let server = start(&file("opa/domain.yml"), "epoll", &flags);
    check(&server, "POST / {}", 400, "choose one with ?policy=");
    check(&server, "POST /?policy=mrn:policy:wall {}", 200, "true");
    check(&server, "GET /", 405, "");
    server.stop();
    let server = Server::start_on(
        &file("opa/domain.yml"),
        "epoll",
        &["--v1-compatible", "--opa", "-b", flags[1]],
        |command| {
            command.env("MPE_OPA_DEFAULTDECISION", "/authz/allow?policy=mrn:policy:wall");
        },
    );
    check(&server, "POST / {}", 200, "true");
    check(&server, "POST /?policy=mrn:policy:gate {}", 200, "false");
    let config = json_of(&server, "GET /v1/config", 200);
    assert_eq!(
        config["result"]["default_decision"],
        "/authz/allow?policy=mrn:policy:wall"
    );
    server.stop();
    let server = Server::start_on(
        &file("opa/domain.yml"),
        "epoll",
        &["--v1-compatible", "--opa", "--revision", "spring"],
        |_| {},
    );
    check(&server, "POST / {}", 404, "document missing: data.system.main");
    let status = json_of(&server, "GET /v1/status?pretty", 200);
    let policies = &status["result"]["bundles"]["policies"];
    assert_eq!(policies["active_revision"], "spring");
    assert!(
        policies["last_successful_activation"]
            .as_str()
            .unwrap()
            .ends_with('Z'),
        "{status}"
    );
    server.stop();
}

#[test]
fn documents_are_reloaded_and_images_refused() {
    let library = "  policy-libraries:\n  - mrn: mrn:lib:lone\n    name: lone\n    rego: |\n      package lone\n      year := 1\n";
    let domain = std::fs::read_to_string(file("opa/other.yml")).unwrap();
    let domain = domain.replace("spec:\n", &format!("spec:\n{library}"));
    let folder = Folder::new("opa-api", &[("domain.yml", &domain)]);
    let path = folder.0.join("domain.yml");
    let mut server = start(&path, "epoll", &[]);
    check(&server, "GET /v1/data/authz/only_here", 200, "{\"result\":1}");
    std::fs::write(&path, domain.replace("only_here := 1", "only_here := 2")).unwrap();
    server.signal("HUP");
    server.wait_for("revision 2 is served");
    check(&server, "GET /v1/data/authz/only_here", 200, "{\"result\":2}");
    // A library that no policy needs is in no image.
    check(&server, "GET /v1/data/lone/year", 200, "{\"result\":1}");
    let changed = domain
        .replace("only_here := 1", "only_here := 2")
        .replace("year := 1", "year := 2");
    std::fs::write(&path, changed).unwrap();
    server.signal("HUP");
    server.wait_for("revision 3 is served");
    check(&server, "GET /v1/data/lone/year", 200, "{\"result\":2}");
    server.stop();
    let (status, _, text) = folder.gavel("compile -b domain.yml -o domain.img --v1-compatible");
    assert_eq!(status, Some(0), "{text}");
    let (status, _, text) = folder.gavel("serve --opa --port 0 -b domain.img");
    assert_eq!(status, Some(1));
    let want = "domain.img is an image file: --opa needs the PolicyDomain itself";
    assert!(
        text.contains(want) && text.contains("= help: serve the files"),
        "{text}"
    );
}
