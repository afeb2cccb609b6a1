//! Decisions and whole access records of our own cases: PolicyDomains of the examples and of `cases/decision`.
//!
//! Each line of a `.jsonl` file names the domains (from the checkout's root), the request, the decision, and the record
//! without its volatile members. Set `GAVEL_BLESS=1` to write today's records into the files, then read the difference.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers fail as the test does"
)]

use gavel_compiler::source::SourceMap;
use gavel_compiler::{Options, compile, render};
use gavel_runtime::decision::{Decider, RecordOptions, Stamp, write_json};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;
use serde_json::Value;
use std::path::{Path, PathBuf};

const STAMP: Stamp = Stamp {
    wall_ns: 1_700_000_000_000_000_000,
    random: [0x5a; 16],
};
const ENV: RequestEnv = RequestEnv {
    wall_ns: STAMP.wall_ns,
    seed: 1,
    monotonic_ns: || 0,
    deadline_ns: None,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn image(domains: &Value) -> Image {
    let mut sources = SourceMap::default();
    let files: Vec<_> = domains
        .as_array()
        .unwrap()
        .iter()
        .map(|name| {
            let name = name.as_str().unwrap();
            sources.add_file(name, &std::fs::read_to_string(root().join(name)).unwrap())
        })
        .collect();
    match compile(&mut sources, &files, &Options::default()) {
        Ok(compiled) => compiled.image,
        Err(problems) => panic!("{}", render::text(&sources, &problems)),
    }
}

/// The body of a case: `porc` as it stands, or the file that `request` names.
fn body(case: &Value) -> Vec<u8> {
    match case["request"].as_str() {
        Some(name) => std::fs::read(root().join(name)).unwrap(),
        None => case["porc"].as_str().unwrap().as_bytes().to_vec(),
    }
}

/// The decision (null: refused) and the record as it is written.
fn decide(case: &Value) -> (Value, Value) {
    let image = image(&case["domains"]);
    let mut decider = Decider::new(&image, &Limits::DEFAULT);
    let body = body(case);
    let mut frame = Vec::new();
    let allow = match decider.decide(&image, &body, Trailing::Ignore, &ENV) {
        Ok(decision) => {
            decision.encode(&body, STAMP, &mut frame);
            Value::Bool(decision.granted)
        }
        Err(refusal) => {
            refusal.encode(STAMP, &mut frame);
            Value::Null
        }
    };
    let mut line = Vec::new();
    assert!(write_json(
        &image,
        &frame,
        &RecordOptions::default(),
        &mut decider,
        &mut line
    ));
    (allow, serde_json::from_slice(&line).unwrap())
}

/// Takes out what differs from run to run, after a look at its form.
fn without_volatile(mut record: Value) -> Value {
    let members = record.as_object_mut().unwrap();
    let metadata = members["metadata"].as_object_mut().unwrap();
    assert_eq!(metadata.remove("timestamp").unwrap(), "2023-11-14T22:13:20Z");
    assert_eq!(
        metadata.remove("id").unwrap(),
        "5a5a5a5a-5a5a-4a5a-9a5a-5a5a5a5a5a5a"
    );
    let duration = members.remove("duration").unwrap();
    assert_eq!(duration["overall"], "0");
    assert_eq!(duration.get("phases").is_some(), members.contains_key("porc"));
    record
}

#[test]
fn decisions_and_records() {
    let folder = root().join("conformance/cases/decision");
    let bless = std::env::var_os("GAVEL_BLESS").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ext| ext != "jsonl") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut blessed = String::new();
        for line in text.lines() {
            let mut case: Value = serde_json::from_str(line).unwrap();
            let (allow, record) = decide(&case);
            let record = without_volatile(record);
            count += 1;
            if case["allow"] != allow {
                wrong.push(format!(
                    "{}: wanted allow {}, is {allow}",
                    case["note"], case["allow"]
                ));
            }
            if bless {
                case["record"] = record;
                blessed.push_str(&format!("{case}\n"));
            } else if case["record"] != record {
                wrong.push(format!(
                    "{}:\n wanted {}\n is     {record}",
                    case["note"], case["record"]
                ));
            }
        }
        if bless {
            std::fs::write(&path, blessed).unwrap();
        }
    }
    assert!(count > 0, "no cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
