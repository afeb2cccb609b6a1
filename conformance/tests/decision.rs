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
use gavel_compiler::{Options, compile_parts, render};
use gavel_runtime::decision::{
    Asked, Decider, Decision, Facts, Frame, Phase, RecordOptions, Reference, Resolution, Settled, Stamp,
    Watcher, write_json,
};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::json::{self, Escape};
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::{Event, Observer, RequestEnv};
use serde_json::{Value, json as value};
use std::path::{Path, PathBuf};

const STAMP: Stamp = Stamp {
    wall_ns: 1_700_000_000_000_000_000,
    random: [0x5a; 16],
};
const ENV: RequestEnv = RequestEnv::timeless(STAMP.wall_ns, 1);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn image(domains: &Value) -> Image {
    image_naming(domains, true)
}

/// `all`: records name also what was asked behind the phase that decided.
fn image_naming(domains: &Value, all: bool) -> Image {
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
    match compile_parts(&mut sources, &files, &Options::default()) {
        Ok(linked) => {
            let mut parts = linked.parts;
            parts.include_all_references = all;
            Image::new(parts).unwrap()
        }
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

/// The files of cases, a case to a line.
fn case_files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("conformance/cases/decision")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|ext| ext == "jsonl"))
        .collect()
}

fn cases() -> impl Iterator<Item = Value> {
    case_files().into_iter().flat_map(|path| {
        let text = std::fs::read_to_string(path).unwrap();
        let cases = text.lines().map(|line| serde_json::from_str(line).unwrap());
        cases.collect::<Vec<Value>>()
    })
}

#[test]
fn decisions_and_records() {
    let bless = std::env::var_os("GAVEL_BLESS").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in case_files() {
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

/// The bodies of a case: its own, and those that send other resources, principals and annotations.
fn bodies(case: &Value) -> Vec<Vec<u8>> {
    let own = body(case);
    let Ok(Value::Object(porc)) = serde_json::from_slice(&own) else {
        return vec![own];
    };
    let mrn = porc.get("resource").cloned().unwrap_or_default();
    let with = |name: &str, value: &Value| {
        let mut porc = porc.clone();
        porc.insert(name.to_owned(), value.clone());
        Value::Object(porc).to_string().into_bytes()
    };
    let resources = value!([null, 7, "", "mrn:other", [mrn], {}, {"id": mrn}, {"annotations": {}, "owner": 7},
        {"zz": 1, "id": mrn, "group": "g", "owner": "o", "classification": "", "annotations": {"b": "<", "a": [{}]}}]);
    let mut bodies: Vec<_> = resources
        .as_array()
        .unwrap()
        .iter()
        .map(|it| with("resource", it))
        .collect();
    let annotations = value!([null, 7, {}, {"zz": ["<"], "aa": {"é": 1.50, "n": 1e-7}}]);
    for principal in [
        porc.get("principal").cloned().unwrap_or_default(),
        value!({"sub": "s"}),
    ] {
        for said in annotations.as_array().unwrap() {
            let mut principal = principal.clone();
            if let Some(members) = principal.as_object_mut() {
                members.insert("mannotations".to_owned(), said.clone());
            }
            bodies.push(with("principal", &principal));
        }
    }
    bodies.extend(
        [value!(null), value!({}), value!("x")]
            .iter()
            .map(|it| with("principal", it)),
    );
    bodies.push(own);
    bodies
}

/// The document that a decision made in its cells, and the one that is written without them, whatever was written before.
#[test]
fn what_is_shown_is_what_policies_see() {
    let mut count = 0;
    for case in cases() {
        let image = image(&case["domains"]);
        let [mut decider, mut shower] = [(); 2].map(|()| Decider::new(&image, &Limits::DEFAULT));
        let bodies = bodies(&case);
        for body in bodies.iter().chain(&bodies).chain(&bodies) {
            let mut ask_image = |_: &str| Resolution::AskImage;
            let mut facts = Facts::Resolver(&mut ask_image);
            let seen = decider.decide_with(&image, body, Trailing::Ignore, &ENV, &mut facts);
            // Of a document that JSON cannot hold nothing is shown.
            let Some(seen) = seen.ok().and_then(|decision| decision.document) else {
                continue;
            };
            for escape in [Escape::Record, Escape::Html, Escape::Plain] {
                let (mut wanted, mut shown) = (Vec::new(), Vec::new());
                json::write(&mut wanted, seen, escape).unwrap();
                assert!(shower.write_seen(&image, body, escape, &mut shown));
                let [wanted, shown] = [wanted, shown].map(|text| String::from_utf8(text).unwrap());
                assert_eq!(shown, wanted, "{}", case["note"]);
            }
            count += 1;
        }
    }
    assert!(count > 0, "no cases");
}

/// Everything of a reference but its time.
fn shown(reference: &Reference<'_>) -> String {
    let Reference {
        phase,
        id,
        policy,
        granted,
        reason,
        ..
    } = reference;
    format!("{phase:?} {id} {policy:?} {granted} {reason:?}")
}

/// What a record names that stops at the phase that decided, of all that was asked.
fn named(full: &Decision<'_>) -> Vec<String> {
    let of = |phase| {
        full.references
            .iter()
            .filter(move |reference| reference.phase == phase)
    };
    let mut kept: Vec<_> = of(Phase::Operation).map(shown).collect();
    if full.settled != Settled::Open {
        return kept;
    }
    let last = full.references.last().map(shown).unwrap_or_default();
    if last.contains("no default resource group") {
        kept.push(last);
        return kept;
    }
    for phase in [Phase::Identity, Phase::Resource, Phase::Scope] {
        kept.extend(of(phase).map(shown));
        if !of(phase).any(|reference| reference.granted) {
            break;
        }
    }
    kept
}

/// Who keeps no record, or a short one, gets the same answer, although less is asked.
#[test]
fn answers_do_not_depend_on_what_is_recorded() {
    let mut count = 0;
    for case in cases() {
        let (image, brief) = (image(&case["domains"]), image_naming(&case["domains"], false));
        let (mut first, mut second) = (
            Decider::new(&image, &Limits::DEFAULT),
            Decider::new(&brief, &Limits::DEFAULT),
        );
        let body = body(&case);
        for (decider, image) in [(&mut first, &image), (&mut second, &brief)] {
            let answer = decider.probe(image, &body, Trailing::Ignore, &ENV);
            let granted = answer.ok().map(|decision| decision.granted);
            assert_eq!(granted, case["allow"].as_bool(), "{}", case["note"]);
        }
        let Ok(full) = first.decide(&image, &body, Trailing::Ignore, &ENV) else {
            continue;
        };
        let short = second.decide(&brief, &body, Trailing::Ignore, &ENV).unwrap();
        assert_eq!(short.granted, full.granted, "{}", case["note"]);
        if full.phases_ns.is_some() {
            let names: Vec<_> = short.references.iter().map(shown).collect();
            assert_eq!(names, named(&full), "{}", case["note"]);
        }
        count += 1;
    }
    assert!(count > 0, "no cases");
}

/// A domain of ten roles and a scope that share one policy.
fn shared_policy() -> String {
    let mut text = String::from(
        r#"
apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomain
metadata: {name: shared}
spec:
  policies:
    - {mrn: "mrn:p:gate", name: gate, rego: "package authz\nallow := 0"}
    - {mrn: "mrn:p:one", name: one, rego: "package authz\ndefault allow = false\nallow { input.context.ok }\n"}
  resource-groups:
    - {mrn: "mrn:rg", name: rg, default: true, policy: "mrn:p:one"}
  scopes:
    - {mrn: "mrn:scope", name: scope, policy: "mrn:p:one"}
  operations:
    - {name: all, selector: [".*"], policy: "mrn:p:gate"}
  roles:
"#,
    );
    for role in 0..10 {
        text += &format!("    - {{mrn: \"mrn:role:{role}\", name: r{role}, policy: \"mrn:p:one\"}}\n");
    }
    text
}

/// Counts what is evaluated and what was known.
#[derive(Default)]
struct Counted {
    evaluated: u32,
    known: u32,
}

impl Observer for Counted {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Enter { .. } => self.evaluated += 1,
            Event::Known { .. } => self.known += 1,
            _ => {}
        }
    }
}

impl Watcher for Counted {
    fn asks(&mut self, asked: &Asked<'_>) -> Option<&mut dyn Observer> {
        (asked.policy == "mrn:p:one").then_some(self as &mut dyn Observer)
    }
}

#[test]
fn a_policy_that_many_share_runs_once() {
    let mut sources = SourceMap::default();
    let file = sources.add_file("shared.yml", &shared_policy());
    let image = match compile_parts(&mut sources, &[file], &Options::default()) {
        Ok(linked) => Image::new(linked.parts).unwrap(),
        Err(problems) => panic!("{}", render::text(&sources, &problems)),
    };
    let roles: Vec<_> = (0..10).map(|role| format!("\"mrn:role:{role}\"")).collect();
    let body = format!(
        r#"{{"principal":{{"mroles":[{}],"scopes":["mrn:scope"]}},"operation":"x","resource":"mrn:y","context":{{"ok":true}}}}"#,
        roles.join(",")
    );
    let mut decider = Decider::new(&image, &Limits::DEFAULT);
    let mut counted = Counted::default();
    let decision = decider
        .decide_watched(&image, body.as_bytes(), Trailing::Refuse, &ENV, &mut counted)
        .unwrap();
    assert!(decision.granted);
    assert_eq!(decision.references.len(), 1 + 10 + 1 + 1);
    assert_eq!((counted.evaluated, counted.known), (1, 11));
}

/// Texts are places in the body where they stand there as they are: however the body is written, a frame says what was decided.
#[test]
fn frames_say_what_was_decided() {
    let domains = serde_json::json!(["examples/clinic/clinic.yml"]);
    let image = image(&domains);
    let mut decider = Decider::new(&image, &Limits::DEFAULT);
    let plain = std::fs::read_to_string(root().join("examples/clinic/nurse-reads.json")).unwrap();
    let first = plain.find("mrn:").unwrap();
    let escaped = plain.replace("mrn:", "\\u006drn:");
    assert!(escaped.len() > plain.len());
    let mut broken = plain.clone().into_bytes();
    broken[first] = 0xff;
    let bodies = [
        plain.clone().into_bytes(),
        format!(" \n{plain} {plain}").into_bytes(),
        escaped.into_bytes(),
        broken,
        b"{}".to_vec(),
    ];
    for body in bodies {
        let name = String::from_utf8_lossy(&body);
        let decision = decider.decide(&image, &body, Trailing::Ignore, &ENV).unwrap();
        let mut frame = Vec::new();
        decision.encode(&body, STAMP, &mut frame);
        let Some(told) = Frame::decode(&frame) else {
            panic!("no frame of {name}");
        };
        assert_eq!(
            [told.subject, told.realm, told.operation, told.resource],
            [
                decision.subject,
                decision.realm,
                decision.operation,
                decision.resource
            ],
            "{name}"
        );
        assert_eq!((told.granted, told.porc), (decision.granted, Some(&*body)));
        assert_eq!(told.references.len(), decision.references.len(), "{name}");
        for (told, reference) in told.references.iter().zip(decision.references) {
            assert_eq!(
                (told.phase, told.id, told.policy, told.granted),
                (reference.phase, reference.id, reference.policy, reference.granted),
                "{name}"
            );
        }
        // What is cut off is missed, wherever it ends.
        assert!((0..frame.len()).all(|len| {
            let cut = Frame::decode(&frame[..len]);
            cut.is_none_or(|cut| cut.porc != Some(&*body))
        }));
    }
}
