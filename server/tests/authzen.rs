//! AuthZEN 1.0: the scenario's eight decisions, batches and their semantics, searches, metadata, and what is no request.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use common::cli::Folder;
use common::{GRANTED, Server, eventually, file, granted, on_each_driver};

fn start(driver: &str, flags: &[&str]) -> Server {
    Server::start_on(&file("records.yml"), driver, flags, |_| {})
}

/// Status, answer, and head of the answer to a POST.
fn post(server: &Server, path: &str, head: &str, body: &str) -> (u16, String, String) {
    let length = body.len();
    ask(
        server,
        &format!("POST {path} HTTP/1.1\r\nHost: a\r\n{head}Content-Length: {length}\r\n\r\n{body}"),
    )
}

fn ask(server: &Server, request: &str) -> (u16, String, String) {
    let mut client = server.connect();
    client.send(request);
    let (head, answer) = client.answer_with_head().unwrap();
    (answer.status, answer.body, head)
}

const JSON: &str = "Content-Type: application/json\r\n";

const ID: &str = "X-Request-ID: bfe9eb29-ab87\r\n";

#[track_caller]
fn check(server: &Server, path: &str, body: &str, status: u16, want: &str) {
    let (got_status, got, _) = post(server, &format!("/access/v1/{path}"), JSON, body);
    assert_eq!((got_status, got.as_str()), (status, want), "{path} {body}");
}

fn question(subject: &str, action: &str, resource: &str) -> String {
    format!(r#"{{"subject":{subject},"action":{action},"resource":{resource}}}"#)
}

const ALICE: &str = r#"{"type":"user","id":"alice"}"#;
const BOB: &str = r#"{"type":"user","id":"bob"}"#;
const READ: &str = r#"{"name":"read"}"#;
const WRITE: &str = r#"{"name":"write"}"#;
const ACTIVE: &str = r#"{"type":"record","id":"record-1"}"#;

#[test]
fn the_eight_decisions_of_the_scenario() {
    on_each_driver(|driver| {
        let server = start(driver, &[]);
        let archived = r#"{"type":"record","id":"record-1","properties":{"status":"archived"}}"#;
        let admin = r#"{"type":"user","id":"carol","properties":{"role":"admin"}}"#;
        let delete = |soft: bool| format!(r#"{{"name":"delete","properties":{{"soft":{soft}}}}}"#);
        for (subject, action, resource, want) in [
            (ALICE, READ.to_owned(), ACTIVE, true),
            (ALICE, WRITE.to_owned(), ACTIVE, true),
            (BOB, READ.to_owned(), ACTIVE, true),
            (BOB, WRITE.to_owned(), ACTIVE, false),
            (ALICE, WRITE.to_owned(), archived, false),
            (admin, WRITE.to_owned(), archived, true),
            (ALICE, delete(true), ACTIVE, true),
            (ALICE, delete(false), ACTIVE, false),
        ] {
            let want = format!(r#"{{"decision":{want}}}"#);
            let body = question(subject, &action, resource);
            check(&server, "evaluation", &body, 200, &want);
            check(&server, "evaluation", &body, 200, &want);
        }
        let (status, records, _) = server.stop();
        assert_eq!(status.code(), Some(0));
        assert_eq!(records.lines().count(), 16);
    });
}

#[test]
fn batches_have_defaults_and_end_where_they_are_told_to() {
    let server = start("epoll", &[]);
    let batch = |semantic: &str| {
        format!(
            r#"{{"subject":{BOB},"resource":{ACTIVE},"action":{READ},"evaluations":[{{}},{{"action":{WRITE}}},{{"subject":{ALICE},"action":{WRITE}}},{{"subject":{{"type":"user"}}}}],"options":{{{semantic}}}}}"#
        )
    };
    let failed =
        r#"{"decision":false,"context":{"error":{"status":400,"message":"`subject.id` is missing"}}}"#;
    let all = format!(
        r#"{{"evaluations":[{{"decision":true}},{{"decision":false}},{{"decision":true}},{failed}]}}"#
    );
    check(&server, "evaluations", &batch(""), 200, &all);
    let named = r#""evaluations_semantic":"execute_all""#;
    check(&server, "evaluations", &batch(named), 200, &all);
    check(
        &server,
        "evaluations",
        &batch(r#""evaluations_semantic":"deny_on_first_deny""#),
        200,
        r#"{"evaluations":[{"decision":true},{"decision":false}]}"#,
    );
    check(
        &server,
        "evaluations",
        &batch(r#""evaluations_semantic":"permit_on_first_permit""#),
        200,
        r#"{"evaluations":[{"decision":true}]}"#,
    );
    check(
        &server,
        "evaluations",
        &question(ALICE, READ, ACTIVE),
        200,
        r#"{"decision":true}"#,
    );
    let (_, records, _) = server.stop();
    assert_eq!(records.lines().count(), 4 + 4 + 2 + 1 + 1);
    // An item that cannot be asked is answered with a denial, which is recorded as any other.
    let unasked = records
        .lines()
        .filter(|record| record.contains("`subject.id` is missing"));
    assert_eq!(
        unasked
            .filter(|record| record.contains("\"decision\":\"DENY\""))
            .count(),
        2
    );
}

#[test]
fn searches_go_over_what_the_domain_lists() {
    let server = start("epoll", &[]);
    let resources = |subject: &str, action: &str, page: &str| {
        format!(r#"{{"subject":{subject},"action":{action},"resource":{{"type":"record"}}{page}}}"#)
    };
    let first = r#"{"type":"record","id":"record-1"}"#;
    let second = r#"{"type":"record","id":"record-2"}"#;
    let found = |token: &str, results: &[&str]| {
        let (count, results) = (results.len(), results.join(","));
        format!(r#"{{"page":{{"next_token":"{token}","count":{count}}},"results":[{results}]}}"#)
    };
    let both = found("", &[first, second]);
    check(&server, "search/resource", &resources(BOB, READ, ""), 200, &both);
    let one = found("", &[first]);
    check(
        &server,
        "search/resource",
        &resources(ALICE, WRITE, ""),
        200,
        &one,
    );
    let page = found("record-1", &[first]);
    let limit = r#","page":{"limit":1}"#;
    check(
        &server,
        "search/resource",
        &resources(BOB, READ, limit),
        200,
        &page,
    );
    let rest = r#","page":{"limit":1,"token":"record-1"}"#;
    let last = found("", &[second]);
    check(
        &server,
        "search/resource",
        &resources(BOB, READ, rest),
        200,
        &last,
    );
    let unknown = format!(r#"{{"subject":{BOB},"action":{READ},"resource":{{"type":"none"}}}}"#);
    check(&server, "search/resource", &unknown, 200, &found("", &[]));
    let actions = format!(r#"{{"subject":{ALICE},"resource":{ACTIVE}}}"#);
    let named = found("", &[READ, WRITE]);
    check(&server, "search/action", &actions, 200, &named);
    let subjects = format!(r#"{{"subject":{{"type":"user"}},"action":{READ},"resource":{ACTIVE}}}"#);
    check(
        &server,
        "search/subject",
        &subjects,
        404,
        "{\"message\":\"Not Found\"}\n",
    );
    let (_, records, _) = server.stop();
    assert_eq!(records, "");
}

#[test]
fn what_is_no_request_is_a_400() {
    let server = start("epoll", &[]);
    for (body, want) in [
        (
            "",
            "\"the body is no JSON: EOF while parsing a value at line 1 column 0\"",
        ),
        ("[]", "\"the body is no JSON object\""),
        ("{}", "\"`subject` is missing\""),
        (
            r#"{"subject":{"type":"user","id":7}}"#,
            "\"`subject.id` is no string\"",
        ),
    ] {
        check(&server, "evaluation", body, 400, want);
    }
    let (status, answer, _) = post(
        &server,
        "/access/v1/evaluation",
        "Content-Type: text/plain\r\n",
        "{}",
    );
    assert_eq!(
        (status, answer.as_str()),
        (400, "\"the body has to be application/json\"")
    );
    let (status, _, head) = ask(&server, "GET /access/v1/evaluation HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(status == 405 && head.contains("Allow: OPTIONS, POST"), "{head}");
    check(
        &server,
        "evaluations",
        r#"{"evaluations":7}"#,
        400,
        "\"`evaluations` is no array\"",
    );
    check(&server, "search/action", "{}", 400, "\"`resource` is missing\"");
    // As at `/decision`, a body that is no request leaves the record of its denial; a search leaves none.
    let (_, records, _) = server.stop();
    assert_eq!(records.lines().count(), 4 + 1, "{records}");
    for record in records.lines() {
        let record: serde_json::Value = serde_json::from_str(record).unwrap();
        assert_eq!(
            (&record["decision"], &record["porc"]),
            (&"DENY".into(), &serde_json::Value::Null)
        );
    }
    assert!(records.contains("`evaluations` is no array"), "{records}");
}

#[test]
fn a_request_id_goes_back() {
    let server = start("epoll", &[]);
    let body = question(ALICE, READ, ACTIVE);
    let head = format!("{JSON}{ID}");
    let (status, answer, answered) = post(&server, "/access/v1/evaluation", &head, &body);
    assert_eq!((status, answer.as_str()), (200, r#"{"decision":true}"#));
    assert!(answered.contains(ID), "{answered}");
    // With what is no request, too.
    for head in [head.clone(), head.replace("application/json", "text/plain")] {
        let (status, _, answered) = post(&server, "/access/v1/evaluation", &head, "{}");
        assert_eq!(status, 400);
        assert!(answered.contains(ID), "{answered}");
    }
    server.stop();
}

/// The status of the answer to a request, and whether it has the id.
fn answered(server: &Server, request: &str) -> (u16, bool) {
    let (status, _, head) = ask(server, request);
    (status, head.contains(ID))
}

/// Also with an answer for which nobody looked at the question.
#[test]
fn a_request_id_goes_back_with_refusals() {
    let server = start("epoll", &["--max-body-bytes", "1024"]);
    let json = |lines: &str| format!("{JSON}{lines}");
    for path in ["evaluation", "evaluations", "search/resource", "search/action"] {
        let check = |method: &str, lines: &str, body: &str, want: u16| {
            let head = format!("{method} /access/v1/{path} HTTP/1.1\r\nHost: a\r\n{ID}{lines}");
            let got = answered(&server, &format!("{head}\r\n{body}"));
            assert_eq!(got, (want, true), "{method} {path} {lines}");
        };
        check("GET", "", "", 405);
        check("OPTIONS", "", "", 204);
        check("PUT", "Content-Length: 2\r\nExpect: 100-continue\r\n", "", 405);
        check("POST", "Content-Length: 2\r\n", "{}", 400);
        check("POST", &json("Content-Length: 1025\r\n"), "", 413);
        check("POST", &json("Transfer-Encoding: chunked\r\n"), "nope\r\n", 400);
    }
    let metadata = "/.well-known/authzen-configuration HTTP/1.1\r\nHost: a\r\n";
    for (method, status) in [("GET", 404), ("DELETE", 405)] {
        let got = answered(&server, &format!("{method} {metadata}{ID}\r\n"));
        assert_eq!(got, (status, true));
    }
    // Others are not asked for it.
    let got = answered(&server, &format!("GET /decision HTTP/1.1\r\nHost: a\r\n{ID}\r\n"));
    assert_eq!(got, (405, false));
    server.stop();
}

/// A core that has too much to do says so with the id.
#[test]
fn a_request_id_goes_back_with_503() {
    let server = start("epoll", &["--max-in-flight", "1"]);
    let porcs = format!("[{}]", vec![r#"{"operation":"x:y:z"}"#; 10_000].join(","));
    let batch = common::post(&porcs).replacen("/decision ", "/decisions?probe=true ", 1);
    let body = question(ALICE, READ, ACTIVE);
    let head = format!("POST /access/v1/evaluation HTTP/1.1\r\nHost: a\r\n{JSON}{ID}");
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let mut busy = server.connect();
    eventually(|| {
        busy.send(&batch);
        let got = answered(&server, &request);
        assert!(got == (200, true) || got == (503, true), "{got:?}");
        assert_eq!(busy.answer().unwrap().status, 200);
        got.0 == 503
    });
    server.stop();
}

#[test]
fn the_metadata_names_what_is_supported() {
    let get = "GET /.well-known/authzen-configuration HTTP/1.1\r\nHost: a\r\n\r\n";
    let server = start("epoll", &["--public-url", "https://pdp.example.com/"]);
    let (status, document, _) = ask(&server, get);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        document,
        serde_json::json!({
            "policy_decision_point": "https://pdp.example.com",
            "access_evaluation_endpoint": "https://pdp.example.com/access/v1/evaluation",
            "access_evaluations_endpoint": "https://pdp.example.com/access/v1/evaluations",
            "search_resource_endpoint": "https://pdp.example.com/access/v1/search/resource",
            "search_action_endpoint": "https://pdp.example.com/access/v1/search/action",
        })
    );
    server.stop();
    let server = Server::start_on(
        &file("shop.yml"),
        "epoll",
        &["--public-url", "http://127.0.0.1:9000"],
        |_| {},
    );
    let (_, document, _) = ask(&server, get);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document.get("search_resource_endpoint"), None);
    let (_, _, log) = server.stop();
    assert!(!log.concat().contains("clear text"), "{log:?}");
    let server = start("epoll", &["--public-url", "http://pdp.example.com"]);
    let (_, _, log) = server.stop();
    let told = "--public-url http://pdp.example.com: without https, clients that follow AuthZEN's metadata ask in clear text";
    assert!(log.iter().any(|line| line.contains(told)), "{log:?}");
    let server = start("epoll", &[]);
    let (status, answer, _) = ask(&server, get);
    assert!(status == 404 && answer.contains("--public-url"), "{answer}");
    server.stop();
}

/// A megabyte of small objects would be a hundred as a tree.
#[test]
fn a_large_body_takes_little_more_than_its_decision() {
    let most_kib = |server: &Server| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
    };
    let objects = vec![r#"{"a":1}"#; 120_000].join(",");
    let parts =
        format!(r#""subject":{ALICE},"action":{READ},"resource":{ACTIVE},"context":{{"x":[{objects}]}}"#);
    let server = start("epoll", &[]);
    let before = most_kib(&server);
    check(
        &server,
        "evaluation",
        &format!("{{{parts}}}"),
        200,
        r#"{"decision":true}"#,
    );
    let both = r#"{"evaluations":[{"decision":true},{"decision":true}]}"#;
    let many = format!(r#"{{{parts},"evaluations":[{{}},{{}}]}}"#);
    check(&server, "evaluations", &many, 200, both);
    let more = most_kib(&server) - before;
    assert!(more < 64 * 1024, "{more} KiB");
    server.stop();
}

/// Where no record can be written under `deny`, questions are answered, and nothing is granted.
#[test]
fn authzen_on_a_full_disk() {
    on_each_driver(|driver| {
        for policy in ["deny", "wait"] {
            let spool = Folder::new(&format!("authzen-{policy}-{driver}"), &[]);
            let flags = ["--audit-full", policy, "--audit-spool", spool.0.to_str().unwrap()];
            let mut server = Server::start(driver, &flags);
            let mut client = server.connect();
            assert_eq!(client.post(GRANTED), granted());
            let allow = policy != "deny";
            let open = r#""action":{"name":"shop:door:open"}"#;
            let parts = format!(
                r#""subject":{{"type":"user","id":"ann"}},"resource":{{"type":"door","id":"front"}},"context":{{"x":"{}"}}"#,
                "x".repeat(3000)
            );
            let many = |semantic: &str| {
                let shut = r#"{"action":{"name":"shop:door:shut"}}"#;
                format!(
                    r#"{{{parts},{open},"evaluations":[{{}},{{}},{shut},{{}}],"options":{{"evaluations_semantic":"{semantic}"}}}}"#
                )
            };
            let answers = |granted: &[bool]| {
                let items: Vec<_> = granted
                    .iter()
                    .map(|granted| format!(r#"{{"decision":{granted}}}"#))
                    .collect();
                format!(r#"{{"evaluations":[{}]}}"#, items.join(","))
            };
            let cases = [
                (
                    "evaluation",
                    format!("{{{parts},{open}}}"),
                    format!(r#"{{"decision":{allow}}}"#),
                ),
                (
                    "evaluations",
                    many("execute_all"),
                    answers(&[allow, allow, false, allow]),
                ),
                (
                    "evaluations",
                    many("deny_on_first_deny"),
                    answers(if allow { &[true, true, false] } else { &[false] }),
                ),
                ("evaluations", many("permit_on_first_permit"), answers(&[allow])),
            ];
            for (path, body, want) in cases {
                server.limit_files("2000");
                // What is decided before anybody knows of the disk is taken back.
                client.send(common::post(&body).replacen("/decision ", &format!("/access/v1/{path} "), 1));
                let answer = client.answer().unwrap();
                assert_eq!((answer.status, answer.body), (200, want), "{policy} {body}");
                server.wait_for("cannot be written");
                server.limit_files("unlimited");
                server.wait_for("written again");
                eventually(|| client.post(GRANTED) == granted());
            }
            assert_eq!(server.stop().0.code(), Some(0));
        }
    });
}
