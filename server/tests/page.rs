//! The status page of a real server: its files and their rules, what it fetches, the explanation of a PORC, limits, the
//! token.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use common::cli::{Folder, Scratch};
use common::{DENIED, GRANTED, Server, eventually, file, grants_of_batches, small_spool};
use serde_json::{Value, json};

fn start_on(bundle: &std::path::Path, flags: &[&str]) -> (Server, SocketAddr) {
    let mut all = vec!["--admin", "127.0.0.1:0"];
    all.extend(flags);
    let mut server = Server::start_on(bundle, "epoll", &all, |_| {});
    let address = server.address_behind("admin on ");
    (server, address)
}

fn start(flags: &[&str]) -> (Server, SocketAddr) {
    start_on(&file("shop.yml"), flags)
}

/// Status, head and body of an answer to a request with these header lines and this body.
fn ask(at: SocketAddr, request: &str, headers: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
}

#[track_caller]
fn get(at: SocketAddr, path: &str) -> Value {
    let (status, _, body) = ask(at, &format!("GET {path}"), "", "");
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

#[track_caller]
fn why(at: SocketAddr, porc: &str) -> Value {
    let (status, _, body) = ask(at, "POST /why", "", porc);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// Phase, vote, and for each policy its MRN and its vote.
fn votes(explanation: &Value) -> Vec<String> {
    let policy = |policy: &Value| format!(" {}={}", policy["policy"], policy["vote"]);
    let phase = |phase: &Value| {
        let policies: String = phase["policies"].as_array().unwrap().iter().map(policy).collect();
        format!("{} {}{policies}", phase["phase"], phase["vote"]).replace('"', "")
    };
    explanation["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(phase)
        .collect()
}

#[test]
fn the_page_comes_with_rules_for_the_browser() {
    let (server, at) = start(&[]);
    for (path, media_type) in [
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/why.js", "text/javascript"),
    ] {
        let (status, head, body) = ask(at, &format!("GET {path}"), "", "");
        assert!(status == 200 && !body.is_empty(), "{path}");
        for rule in [
            media_type,
            "default-src 'none'",
            "script-src 'self'",
            "nosniff",
            "frame-ancestors 'none'",
        ] {
            assert!(head.contains(rule), "{path}: {rule}: {head}");
        }
        assert_eq!(ask(at, &format!("HEAD {path}"), "", "").2, "");
        assert_eq!(ask(at, &format!("POST {path}"), "", "").0, 405);
    }
    for path in ["/live.json", "/loaded.json", "/decisions.json"] {
        assert_eq!(ask(at, &format!("POST {path}"), "", "").0, 405, "{path}");
    }
    assert_eq!(ask(at, "GET /why", "", "").0, 405);
    assert_eq!(ask(at, "GET /page.html", "", "").0, 404);
    server.stop();
}

#[test]
fn numbers_and_what_is_loaded() {
    let (server, at) = start(&[]);
    let mut client = server.connect();
    client.post(GRANTED);
    client.post(DENIED);
    eventually(|| get(at, "/live.json")["decisions"]["count"] == 2);
    let live = get(at, "/live.json");
    assert_eq!(live["outcomes"]["grant_override"], 1);
    let buckets = live["decisions"]["buckets"].as_array().unwrap();
    let counted: u64 = buckets.iter().map(|bucket| bucket[1].as_u64().unwrap()).sum();
    assert_eq!(counted, 2);
    let loaded = get(at, "/loaded.json");
    assert_eq!(
        (&loaded["domains"], &loaded["counts"]["policies"]),
        (&json!(["shop"]), &json!(3))
    );
    let page = get(at, "/loaded.json?kind=policies&from=1&count=1");
    assert_eq!(
        (&page["total"], &page["entries"][0]["mrn"]),
        (&json!(3), &json!("mrn:iam:policy:clerk"))
    );
    let found = get(at, "/loaded.json?kind=roles&find=cler");
    let clerk = json!([{"mrn": "mrn:iam:role:clerk", "policy": "mrn:iam:policy:clerk"}]);
    assert_eq!(found["entries"], clerk);
    let all = get(at, "/loaded.json?kind=operations&find=shop");
    let gate = json!([{"selectors": ["^shop:.*$"], "policy": "mrn:iam:policy:gate"}]);
    assert_eq!(all["entries"], gate);
    for wrong in ["kind=none", "from=x", "other=1"] {
        assert_eq!(
            ask(at, &format!("GET /loaded.json?{wrong}"), "", "").0,
            400,
            "{wrong}"
        );
    }
    server.stop();
}

#[test]
fn a_denial_is_explained_down_to_the_line() {
    let (server, at) = start(&[]);
    let porc = r#"{"operation":"shop:order:write","resource":"mrn:x","principal":{"mroles":["mrn:iam:role:clerk"]}}"#;
    let told = why(at, porc);
    let want = [
        "operation OPEN mrn:iam:policy:gate=GRANT",
        "identity DENY mrn:iam:policy:clerk=DENY",
        "resource GRANT mrn:iam:policy:orders=GRANT",
        "scope null",
    ];
    assert_eq!(
        (&told["decision"], votes(&told)),
        (&json!("DENY"), want.map(str::to_owned).to_vec())
    );
    let bodies = &told["phases"][1]["policies"][0]["bodies"];
    let tried = bodies
        .as_array()
        .unwrap()
        .iter()
        .find(|body| body["held"] == false)
        .unwrap();
    assert_eq!(tried["failure"]["rows"], json!([6, 6]));
    assert_eq!(
        tried["failure"]["why"],
        r#"not "shop:order:write" == "shop:order:read""#
    );
    assert!(
        tried["file"].as_str().unwrap().ends_with("shop.yml:26"),
        "{tried}"
    );
    let decided = bodies
        .as_array()
        .unwrap()
        .iter()
        .find(|body| body["decided"] == true)
        .unwrap();
    assert_eq!(decided["rows"], json!([3, 3]));
    let source = &told["sources"][usize::try_from(decided["source"].as_u64().unwrap()).unwrap()];
    assert_eq!(source["name"], "mrn:iam:policy:clerk");
    assert_eq!(
        source["text"].as_str().unwrap().lines().nth(2),
        Some("default allow = false")
    );
    assert_eq!(
        told["document"]["resource"]["group"],
        "mrn:iam:resource-group:orders"
    );
    // Nobody hears of it: no record, nothing counted.
    assert_eq!(get(at, "/live.json")["decisions"]["count"], 0);
    let (_, output, _) = server.stop();
    assert_eq!(output, "");
}

#[test]
fn an_override_and_what_is_unknown() {
    let (server, at) = start(&[]);
    let told = why(at, GRANTED);
    assert_eq!(
        (&told["decision"], &told["settled"]),
        (&json!("GRANT"), &json!(1))
    );
    assert_eq!(told["phases"][1]["counts"], false);
    let told = why(
        at,
        r#"{"operation":"shop:order:read","resource":"mrn:x","principal":{"mroles":["mrn:\u003cb\u003e"]}}"#,
    );
    let reference = &told["phases"][1]["policies"][0];
    assert_eq!(
        (&reference["id"], &reference["policy"]),
        (&json!("mrn:<b>"), &Value::Null)
    );
    assert_eq!(reference["reason"]["code"], "NOTFOUND_ERROR");
    let told = why(at, "{}");
    assert_eq!(
        (&told["decision"], &told["phases"][0]["policies"][0]["policy"]),
        (&json!("DENY"), &Value::Null)
    );
    server.stop();
}

/// What Envoy asks is explained from its mapper on.
#[test]
fn what_a_mapper_makes_is_explained() {
    let (server, at) = start_on(&file("gate.yml"), &["--envoy-port", "0"]);
    let request =
        |word: &str| json!({"request": {"http": {"path": "/a", "headers": {"x-word": word}}}}).to_string();
    let told = |word: &str| {
        let (status, _, body) = ask(at, "POST /why?from=envoy", "", &request(word));
        assert_eq!(status, 200, "{word}: {body}");
        serde_json::from_str::<Value>(&body).unwrap()
    };
    let open = told("open");
    assert_eq!(
        (&open["decision"], &open["unexplained"]),
        (&json!("GRANT"), &Value::Null)
    );
    let mapper = &open["mapper"];
    assert_eq!(
        (&mapper["name"], &mapper["reason"]),
        (&json!("words"), &Value::Null)
    );
    assert_eq!(
        mapper["porc"],
        json!({"operation": "gate:open", "context": {"path": "/a", "body": ""}})
    );
    let bodies = mapper["bodies"].as_array().unwrap();
    let held: Vec<&Value> = bodies.iter().filter(|body| body["held"] == true).collect();
    assert!(held.len() == 1 && bodies.len() > 1, "{bodies:?}");
    assert!(
        held[0]["file"].as_str().unwrap().ends_with("gate.yml:26"),
        "{held:?}"
    );
    let source = &open["sources"][usize::try_from(held[0]["source"].as_u64().unwrap()).unwrap()];
    assert!(
        source["text"].as_str().unwrap().starts_with("package mapper"),
        "{source}"
    );
    assert_eq!(open["phases"][0]["policies"][0]["policy"], "mrn:iam:policy:word");
    assert_eq!(told("shut")["decision"], "DENY");
    for (word, reason) in [("text", "is no PORC"), ("both", "eval_conflict_error"), ("", "")] {
        let told = told(word);
        let said = told["mapper"]["reason"].as_str().unwrap_or_default();
        assert!(
            told["decision"] == "DENY" && said.contains(reason),
            "{word}: {told}"
        );
    }
    assert_eq!(ask(at, "POST /why?from=envoy", "", "[").0, 400);
    assert_eq!(ask(at, "POST /why?from=nowhere", "", "{}").0, 400);
    let (_, output, _) = server.stop();
    assert_eq!(output, "");
    let (server, at) = start(&[]);
    let (status, _, said) = ask(at, "POST /why?from=envoy", "", &request("open"));
    assert!(status == 400 && said.contains("Envoy is not served"), "{said}");
    server.stop();
}

#[test]
fn a_body_that_is_no_porc_or_too_long() {
    let (server, at) = start(&[]);
    for body in ["", "[]", "{", "{} {}"] {
        let (status, _, answer) = ask(at, "POST /why", "", body);
        assert_eq!(status, 400, "{body}: {answer}");
    }
    let most = gavel_server::limits::WHY_BODY_BYTES_MAX;
    let fitting = format!("{{}}{}", " ".repeat(most - 2));
    assert_eq!(ask(at, "POST /why", "", &fitting).0, 200);
    let mut stream = TcpStream::connect(at).unwrap();
    let head = format!(
        "POST /why HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        most + 1
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    server.stop();
}

/// Files that changed do not explain what is served, and say so; after a reload they do.
#[test]
fn files_that_changed_explain_nothing() {
    let text = std::fs::read_to_string(file("shop.yml")).unwrap();
    let domain = Scratch::new("page-shop.yml", &text);
    let (server, at) = start_on(&domain.0, &[]);
    assert_eq!(why(at, GRANTED)["unexplained"], Value::Null);
    std::fs::write(&domain.0, text.replace("shop:door:open", "shop:door:shut")).unwrap();
    assert_eq!(why(at, GRANTED)["unexplained"], Value::Null, "it is kept");
    assert_eq!(ask(at, "POST /reload", "", "").0, 200);
    let told = why(at, GRANTED);
    assert_eq!(
        (&told["decision"], &told["revision"]),
        (&json!("DENY"), &json!(2))
    );
    assert_eq!(told["unexplained"], Value::Null);
    std::fs::write(&domain.0, &text).unwrap();
    assert_eq!(ask(at, "POST /reload", "", "").0, 200);
    std::fs::write(&domain.0, "broken").unwrap();
    let told = why(at, GRANTED);
    assert_eq!(told["decision"], "GRANT");
    assert!(
        told["unexplained"]
            .as_str()
            .unwrap()
            .contains("cannot be compiled"),
        "{told}"
    );
    assert_eq!(told["phases"][0]["policies"][0]["bodies"], Value::Null);
    server.stop();
}

#[test]
fn the_last_records_are_kept_where_that_is_asked_for() {
    let (server, at) = start(&[]);
    server.connect().post(GRANTED);
    assert_eq!(get(at, "/decisions.json"), json!({"kept": 0, "decisions": []}));
    server.stop();
    let (server, at) = start(&["--admin-decisions", "2"]);
    let mut client = server.connect();
    for body in [GRANTED, GRANTED, DENIED] {
        client.post(body);
    }
    eventually(|| get(at, "/live.json")["recordsWritten"] == 3);
    let decisions = get(at, "/decisions.json")["decisions"].clone();
    let words: Vec<&str> = decisions
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["decision"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["DENY", "GRANT"]);
    let (_, output, _) = server.stop();
    let newest: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    assert_eq!(decisions[0], newest);
}

/// A write fails in the middle of a batch under `deny`: the page shows those grants that were answered as grants, and no others.
#[test]
fn a_grant_that_was_given_up_is_not_among_the_last_decisions() {
    let folder = Folder::new("page-given-up", &[]);
    let flags = [
        &["--admin-decisions", "1000"][..],
        &small_spool("deny", &folder.0),
    ]
    .concat();
    let (mut server, at) = start(&flags);
    // Nobody reads what is delivered, so that the spool reaches its bound.
    let stdout = server.take_stdout();
    let (granted, is_mixed) = grants_of_batches(&mut server.connect(), || ());
    assert!(is_mixed);
    let shown = get(at, "/decisions.json")["decisions"].clone();
    let shown: BTreeSet<String> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["porc"]["context"]["number"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(shown, granted);
    server.signal("KILL");
    drop(stdout);
    server.wait();
}

/// What access records leave out is left out of the last decisions and of explanations; what they hash is, too, where
/// whoever asks could try values.
#[test]
fn what_records_leave_out_is_not_shown() {
    let key = Scratch::new("page-key", "0123456789abcdef\n");
    let flags = ["--admin", "127.0.0.1:0", "--admin-decisions", "5"];
    let mut server = Server::start_on(&file("shop.yml"), "epoll", &flags, |command| {
        command
            .env("MPE_AUDIT_REDACT", "/resource,/principal/mroles")
            .env("MPE_AUDIT_HASH", "/principal/sub")
            .env("MPE_AUDIT_HASHKEYFILE", key.path());
    });
    let at = server.address_behind("admin on ");
    let porc = r#"{"operation":"shop:order:write","resource":"mrn:x:secret","principal":{"sub":"ann","mroles":["mrn:iam:role:clerk"]}}"#;
    server.connect().post(porc);
    eventually(|| get(at, "/live.json")["recordsWritten"] == 1);
    let decisions = get(at, "/decisions.json")["decisions"].to_string();
    assert!(decisions.contains("hmac-sha256:"), "{decisions}");
    let told = why(at, porc);
    assert_eq!(told["operation"], "shop:order:write");
    assert_eq!(told["resource"], "[redacted]");
    assert_eq!(told["document"]["principal"]["sub"], "[redacted]");
    let role = &told["phases"][1]["policies"][0];
    assert_eq!(
        (&role["id"], &role["vote"]),
        (&json!("[redacted]"), &json!("DENY"))
    );
    let bodies = role["bodies"].as_array().unwrap();
    let tried = bodies.iter().find(|body| body["held"] == false).unwrap();
    assert_eq!(
        (&tried["failure"]["why"], &tried["failure"]["rows"]),
        (&json!("[redacted]"), &json!([6, 6]))
    );
    for shown in [decisions, told.to_string()] {
        for hidden in ["secret", "\"ann\"", "iam:role:clerk\""] {
            assert!(!shown.contains(hidden), "{hidden}: {shown}");
        }
    }
    assert!(!told.to_string().contains("hmac-sha256"), "{told}");
    server.stop();
}

#[test]
fn the_page_is_open_and_what_it_shows_is_not() {
    let token = Scratch::new("page-token", "0123456789abcdef\n");
    let (server, at) = start(&["--admin-token-file", token.0.to_str().unwrap()]);
    for path in ["/", "/page.js"] {
        assert_eq!(ask(at, &format!("GET {path}"), "", "").0, 200);
    }
    let shown = "Authorization: Bearer 0123456789abcdef\r\n";
    for path in [
        "GET /live.json",
        "GET /loaded.json",
        "GET /decisions.json",
        "POST /why",
    ] {
        assert_eq!(ask(at, path, "", GRANTED).0, 401, "{path}");
        assert_eq!(ask(at, path, shown, GRANTED).0, 200, "{path}");
    }
    let foreign = format!("{shown}Origin: https://evil.example\r\n");
    assert_eq!(ask(at, "POST /why", &foreign, GRANTED).0, 403);
    server.stop();
}

#[test]
fn more_records_than_fit_are_an_error() {
    let mut command = common::gavel();
    command
        .args([
            "serve",
            "--port",
            "0",
            "--admin",
            "127.0.0.1:0",
            "--admin-decisions",
            "1001",
            "-b",
        ])
        .arg(file("shop.yml"));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && text.contains("--admin-decisions may be at most 1000"),
        "{text}"
    );
}
