//! `test replay`: records of one domain decided by another, and what is said of the difference.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use std::io::Write as _;
use std::process::Stdio;

use common::cli::{Scratch, run};
use common::file;

/// The shop with one text in place of another.
fn shop_with(name: &str, old: &str, new: &str) -> Scratch {
    let text = std::fs::read_to_string(file("shop.yml")).unwrap();
    assert!(text.contains(old), "{old}");
    Scratch::new(name, &text.replace(old, new))
}

/// Records of the shop's decisions over some PORCs, one a line.
fn records(domain: &str, porcs: &[&str]) -> String {
    let record = |porc: &&str| {
        let (status, record, error) = run(&format!("test decision -b {domain}"), porc);
        assert_eq!(status, Some(0), "{error}");
        record
    };
    porcs.iter().map(record).collect()
}

const READ: &str = r#"{"principal":{"sub":"ann","mroles":["mrn:iam:role:clerk"]},"operation":"shop:order:read","resource":"mrn:order:1"}"#;
const WRITE: &str = r#"{"principal":{"sub":"bob","mroles":["mrn:iam:role:clerk"]},"operation":"shop:order:write","resource":"mrn:order:2"}"#;
const OPEN: &str = r#"{"operation":"shop:door:open"}"#;

/// What a replay of standard input says, without the id of each record.
#[track_caller]
fn check(args: &str, records: &str, status: i32, want: &[&str]) {
    let (got, output, error) = run(&format!("test replay - {args}"), records);
    assert_eq!(got, Some(status), "{output}{error}");
    let output: Vec<String> = output
        .lines()
        .map(|line| match line.split_once(" record ") {
            Some((line, _)) => line.to_owned(),
            None => line.to_owned(),
        })
        .collect();
    assert_eq!(output, want);
    assert!(error.contains("records a second"), "{error}");
}

#[test]
fn the_same_domain_decides_the_same() {
    check(
        "-b {shop}",
        &records("{shop}", &[READ, WRITE, OPEN, "{}"]),
        0,
        &["4 records: 4 decided as before, 0 changed, 0 refused now, 0 malformed, 0 without a PORC"],
    );
}

#[test]
fn a_changed_vote_is_named_with_its_policy() {
    let changed = shop_with(
        "vote.yml",
        "input.operation == \"shop:order:read\"",
        "input.operation == \"shop:order:write\"",
    );
    check(
        &format!("-b {}", changed.path()),
        &records("{shop}", &[READ, OPEN, WRITE]),
        1,
        &[
            "-:1: GRANT -> DENY: subject ann operation shop:order:read resource mrn:order:1",
            "    IDENTITY mrn:iam:role:clerk, policy mrn:iam:policy:clerk: GRANT -> DENY (the policy was edited)",
            "-:3: DENY -> GRANT: subject bob operation shop:order:write resource mrn:order:2",
            "    IDENTITY mrn:iam:role:clerk, policy mrn:iam:policy:clerk: DENY -> GRANT (the policy was edited)",
            "3 records: 1 decided as before, 2 changed, 0 refused now, 0 malformed, 0 without a PORC",
        ],
    );
}

#[test]
fn an_override_that_comes_or_goes_is_a_change_of_the_operation_policy() {
    let changed = shop_with("override.yml", "allow = 1 {", "allow = 0 {");
    check(
        &format!("-b {}", changed.path()),
        &records("{shop}", &[OPEN]),
        1,
        &[
            "-:1: GRANT -> DENY: operation shop:door:open",
            "    SYSTEM shop:door:open, policy mrn:iam:policy:gate: GRANT by override -> no override (the policy was edited)",
            "1 records: 0 decided as before, 1 changed, 0 refused now, 0 malformed, 0 without a PORC",
        ],
    );
}

#[test]
fn a_role_that_is_gone_and_a_policy_that_fails_are_told() {
    let gone = shop_with(
        "gone.yml",
        "mrn: \"mrn:iam:role:clerk\"",
        "mrn: \"mrn:iam:role:baker\"",
    );
    check(
        &format!("-b {}", gone.path()),
        &records("{shop}", &[READ]),
        1,
        &[
            "-:1: GRANT -> DENY: subject ann operation shop:order:read resource mrn:order:1",
            "    IDENTITY mrn:iam:role:clerk, policy mrn:iam:policy:clerk: GRANT -> DENY \
             (NOTFOUND_ERROR: role not found)",
            "1 records: 0 decided as before, 1 changed, 0 refused now, 0 malformed, 0 without a PORC",
        ],
    );
}

#[test]
fn malformed_lines_are_told_by_number_and_counted() {
    let record = records("{shop}", &[READ]);
    let text = format!(
        "{record}\nnonsense\n{{\"gap\":{{\"lost\":2}}}}\n{{\"decision\":\"DENY\"}}\n{{\"porc\":{{}}}}\n"
    );
    let (status, output, _) = run("test replay - -b {shop}", &text);
    assert_eq!(status, Some(1));
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.first(), Some(&"-:3: malformed: expected ident"));
    assert_eq!(
        lines.get(1),
        Some(&"-:6: malformed: no access record: there is no `decision`")
    );
    assert_eq!(
        lines.get(2),
        Some(&"5 records: 1 decided as before, 0 changed, 0 refused now, 2 malformed, 2 without a PORC")
    );
}

#[test]
fn nothing_to_replay_is_no_success() {
    for text in ["", "\n", "{\"decision\":\"DENY\"}\n"] {
        let (status, _, error) = run("test replay - -b {shop}", text);
        assert_eq!(status, Some(1), "{text}");
        assert!(
            error.contains("no access record could be decided again"),
            "{error}"
        );
    }
    let (status, _, error) = run("test replay nowhere.jsonl -b {shop}", "");
    assert_eq!(status, Some(1));
    assert!(error.contains("nowhere.jsonl"), "{error}");
    let (status, _, error) = run("test replay . -b {shop}", "");
    assert_eq!(status, Some(1), "{error}");
    let (status, ..) = run("test replay -b {shop}", "");
    assert_eq!(status, Some(1));
}

#[test]
fn lines_of_json_for_programs() {
    let changed = shop_with("json.yml", "input.operation == \"shop:order:read\"", "false");
    let text = format!("{}[]\n", records("{shop}", &[READ]));
    let (status, output, _) = run(
        &format!("test replay - --format json -b {}", changed.path()),
        &text,
    );
    assert_eq!(status, Some(1));
    let lines: Vec<serde_json::Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [change, malformed, summary] = lines.as_slice() else {
        panic!("{output}")
    };
    assert_eq!(
        (&change["line"], &change["before"], &change["after"]),
        (&1.into(), &"GRANT".into(), &"DENY".into())
    );
    assert_eq!(change["causes"][0]["policy"], "mrn:iam:policy:clerk");
    assert_eq!(change["causes"][0]["edited"], true);
    assert_eq!(malformed["line"], 2);
    assert_eq!(
        summary["summary"],
        serde_json::json!({"records": 2, "same": 0, "changed": 1, "refused": 0, "malformed": 1, "skipped": 0})
    );
}

#[test]
fn packed_and_indented_records_from_several_files() {
    let plain = records("{shop}", &[READ, WRITE]);
    let (_, indented, _) = run("test decision --pretty-log -b {shop}", READ);
    // Two members, as log collectors append them.
    let mut packed = Vec::new();
    for part in [plain.as_bytes(), indented.as_bytes()] {
        let mut pack = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
        pack.write_all(part).unwrap();
        pack.finish().unwrap();
    }
    let file = Scratch::new("records.jsonl.gz", "");
    std::fs::write(&file.0, &packed).unwrap();
    check(
        &format!("{} -b {{shop}}", file.path()),
        &format!("{indented}{plain}"),
        0,
        &["6 records: 6 decided as before, 0 changed, 0 refused now, 0 malformed, 0 without a PORC"],
    );
    packed.truncate(packed.len() / 2);
    std::fs::write(&file.0, &packed).unwrap();
    let (status, _, error) = run(&format!("test replay {} -b {{shop}}", file.path()), "");
    assert_eq!(status, Some(1));
    assert!(error.contains("records.jsonl.gz"), "{error}");
}

#[test]
fn policies_see_the_time_of_the_record() {
    let night = "time.now_ns() < 1000000000000000000";
    let early = shop_with("night.yml", "input.operation == \"shop:order:read\"", night);
    let record = records("{shop}", &[READ]);
    let mut value: serde_json::Value = serde_json::from_str(&record).unwrap();
    value["metadata"]["timestamp"] = "2001-09-09T01:46:39.999Z".into();
    let same = "1 records: 1 decided as before, 0 changed, 0 refused now, 0 malformed, 0 without a PORC";
    check(&format!("-b {}", early.path()), &value.to_string(), 0, &[same]);
    value["metadata"]["timestamp"] = "2001-09-09T01:46:40Z".into();
    let (status, ..) = run(&format!("test replay - -b {}", early.path()), &value.to_string());
    assert_eq!(status, Some(1));
}

const ANNOTATED: &str =
    "mrn: \"mrn:iam:role:clerk\"\n      annotations:\n        - name: desk\n          value: '[\"north\"]'\n";

/// A clerk reads where the annotations, merged once, name one desk.
fn annotated(name: &str, desk: &str) -> Scratch {
    let text = std::fs::read_to_string(file("shop.yml")).unwrap();
    let text = text
        .replace("mrn: \"mrn:iam:role:clerk\"\n", &ANNOTATED.replace("north", desk))
        .replace(
            "input.operation == \"shop:order:read\"",
            "input.principal.mannotations.desk == [\"north\"]",
        );
    Scratch::new(name, &text)
}

#[test]
fn annotations_are_those_of_the_record_or_looked_up_again() {
    let (north, south) = (annotated("north.yml", "north"), annotated("south.yml", "south"));
    let record = records(north.path(), &[READ]);
    let same = "1 records: 1 decided as before, 0 changed, 0 refused now, 0 malformed, 0 without a PORC";
    check(&format!("-b {}", north.path()), &record, 0, &[same]);
    check(&format!("--resolve -b {}", north.path()), &record, 0, &[same]);
    check(&format!("-b {}", south.path()), &record, 0, &[same]);
    check(
        &format!("--resolve -b {}", south.path()),
        &record,
        1,
        &[
            "-:1: GRANT -> DENY: subject ann operation shop:order:read resource mrn:order:1",
            "    IDENTITY mrn:iam:role:clerk, policy mrn:iam:policy:clerk: GRANT -> DENY",
            "1 records: 0 decided as before, 1 changed, 0 refused now, 0 malformed, 0 without a PORC",
        ],
    );
}

#[test]
fn texts_of_records_cannot_forge_lines() {
    let changed = shop_with("forge.yml", "input.operation == \"shop:order:read\"", "false");
    let porc = READ.replace("ann", "a\\nb\\u001b[31m");
    let (_, output, _) = run(
        &format!("test replay - -b {}", changed.path()),
        &records("{shop}", &[&porc]),
    );
    assert!(output.contains(r"subject a\nb\u{1b}[31m operation"), "{output}");
    assert_eq!(output.lines().count(), 3);
}

/// A number that OPA's decoder refuses, as gavel does: a request that holds it is not decided.
const UNREADABLE: &str = r#"{"operation":"shop:door:open","x":1e999999}"#;

#[test]
fn a_denied_request_that_cannot_be_read_now_is_not_as_before() {
    let text = format!("{{\"decision\":\"DENY\",\"porc\":{UNREADABLE}}}\n");
    check(
        "-b {shop}",
        &format!("{}{text}", records("{shop}", &[WRITE])),
        1,
        &[
            "-:2: refused now: json: cannot unmarshal number into Go value of type float64",
            "2 records: 1 decided as before, 0 changed, 1 refused now, 0 malformed, 0 without a PORC",
        ],
    );
    let (status, output, _) = run("test replay - --format json -b {shop}", &text);
    assert_eq!(status, Some(1));
    let lines: Vec<serde_json::Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [refused, summary] = lines.as_slice() else {
        panic!("{output}")
    };
    assert_eq!(refused["line"], 1);
    assert!(refused["refused"].as_str().unwrap().contains("number"));
    assert_eq!(summary["summary"]["refused"], 1);
    // A grant that is lost is a change.
    check(
        "-b {shop}",
        &text.replace("DENY", "GRANT"),
        1,
        &[
            "-:1: GRANT -> DENY:",
            "    the request is refused: json: cannot unmarshal number into Go value of type float64",
            "1 records: 0 decided as before, 1 changed, 0 refused now, 0 malformed, 0 without a PORC",
        ],
    );
}

#[test]
fn devices_that_never_end_are_refused() {
    for device in ["/dev/zero", "/dev/full", "/dev/urandom"] {
        let (status, output, error) = run(&format!("test replay {device} -b {{shop}}"), "");
        assert_eq!((status, &*output), (Some(1), ""), "{error}");
        assert!(
            error.contains(&format!("{device}: a character device")),
            "{error}"
        );
    }
}

#[test]
fn mistakes_of_the_output_are_not_those_of_the_input() {
    let text = "x\n".repeat(10_000);
    // A reader who is gone before the first finding comes.
    let mut child = common::gavel()
        .args(["test", "replay", "-", "-b"])
        .arg(file("shop.yml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let input = Scratch::new("full.jsonl", &text);
    let output = common::gavel()
        .args(["test", "replay", input.path(), "-b"])
        .arg(file("shop.yml"))
        .stdout(std::fs::File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        error.trim_end(),
        "error: standard output: no space left on device"
    );
}
